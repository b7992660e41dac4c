package knowledge_test

import (
	"slices"
	"strings"
	"testing"

	"hotline/knowledge"
)

func TestWhyAnArticleIsProposedInTheWordsOfTheQuestion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		question, text string
		want           []string
	}{
		{"Who stops the drilling at night?", "Noise from building sites at night. Drilling is not allowed.", []string{"drilling", "night"}},
		{"Night, night and NIGHT", "At night", []string{"Night"}},
		{"请问夜间施工噪音怎么投诉？", "夜间施工噪音：晚上十点以后不得施工", []string{"夜间施工噪音"}},
		{"請問夜間施工噪音怎麼投訴？", "夜间施工噪音：晚上十点以后不得施工", []string{"夜間施工噪音"}},
		{"请问怎么办？", "夜间施工", nil},
		{"parking permit", "noise", nil},
	} {
		if got := knowledge.Matched(c.question, c.text); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.question, got, c.want)
		}
	}
}

var noise = knowledge.Version{Text: knowledge.Text{Title: "Noise from building sites", Summary: "Noisy work at night needs a permit.",
	Body: "Sites make noise.\n\n## When it is not allowed\n\nBetween **22:00 and 6:00** drilling is forbidden.\n\n## Fines\n\nThe fine for the builder is up to 5,000.\n\n- first time: 500"}}

func TestADraftTakesTheSectionThatAnswers(t *testing.T) {
	t.Parallel()
	section, share := knowledge.Passage("how high is the fine for the builder?", noise)
	if section.Heading != "Fines" || share < 0.5 {
		t.Errorf("section %q, %.2f", section.Heading, share)
	}
	got := knowledge.Draft("how high is the fine for the builder?", noise)
	if !strings.HasPrefix(got, noise.Summary+"\n\n") || !strings.Contains(got, "up to 5,000") || strings.Contains(got, "22:00") || strings.Contains(got, "**") {
		t.Errorf("draft %q", got)
	}
	// Where no section has anything to do with it, the short answer stands alone.
	if got := knowledge.Draft("passport photographs", noise); got != noise.Summary {
		t.Errorf("draft %q", got)
	}
	long := noise
	long.Summary, long.Body = "", "## Fines\n\n"+strings.Repeat("The fine for builders is high.\n\n", 200)
	if got := knowledge.Draft("fine for builders", long); len(got) > 1100 || !strings.HasSuffix(got, ".") {
		t.Errorf("a draft of %d characters ends in %q", len(got), got[max(0, len(got)-20):])
	}
}

func TestWhatTheShortAnswerLeavesOut(t *testing.T) {
	t.Parallel()
	dogs := knowledge.Version{Text: knowledge.Text{Title: "养犬登记", Summary: "三个月以上的狗都要办证，每年100元。",
		Body: "## 怎么办\n\n带身份证到派出所。\n\n绝育的狗减半，导盲犬免费。\n\n## 不能养\n\n下面这些不能养：\n\n- 名单上的22种大型犬\n- 咬过人的狗"}}
	permit := knowledge.Version{Text: knowledge.Text{Title: "Parking permit", Summary: "Residents get one permit.",
		Body: "## How\n\nBring with you:\n\n- your passport\n\n- the vehicle registration\n\n  or a rental contract\n\nPaying by card costs nothing. Offices:\n- Mill Lane\n\n- Harbour Square\n\n```\nform P7\n\nzone letter\n```\n\nExempt are these motorcycles:\n\n## Where\n\nAt the town hall."}}
	for _, c := range []struct {
		version         knowledge.Version
		question, wants string // "": the short answer has it all, or nothing says more
	}{
		{noise, "how high is the fine for the builder?", "The fine for the builder is up to 5,000."},
		{noise, "do I need a permit for noisy work at night?", ""},
		{noise, "passport photographs", ""},
		{dogs, "导盲犬要交钱吗", "绝育的狗减半，导盲犬免费。"},
		{dogs, "哪些大型犬不能养", "下面这些不能养：\n\n- 名单上的22种大型犬\n- 咬过人的狗"},
		{dogs, "狗要办证吗", ""},
		{permit, "is a rental contract enough?", "Bring with you:\n\n- your passport\n\n- the vehicle registration\n\n  or a rental contract"}, // a list is told whole
		{permit, "does paying by card cost more?", "Paying by card costs nothing. Offices:\n- Mill Lane\n\n- Harbour Square"},
		{permit, "which motorcycles are exempt?", ""}, // announced, and nothing follows
		{permit, "what is the zone letter?", "```\nform P7\n\nzone letter\n```"},
	} {
		got, ok := knowledge.Beside(c.question, c.version)
		if ok != (c.wants != "") || ok && got.Text != c.wants {
			t.Errorf("%s: %v %q, want %q", c.question, ok, got.Text, c.wants)
		}
	}
}

func TestHowMuchOfAnInsertedTextWasChanged(t *testing.T) {
	t.Parallel()
	text := "Noisy work at night needs a permit. Call us."
	for name, c := range map[string]struct {
		sent     string
		from, to float64
	}{
		"word for word":      {text, 0, 0},
		"with words around":  {"Hello,\n" + strings.ReplaceAll(text, " ", "\n") + "\nBye", 0, 0},
		"one word replaced":  {strings.Replace(text, "permit", "licence", 1), 0.01, 0.2},
		"one comma added":    {strings.Replace(text, "work", "work,", 1), 0.01, 0.01},
		"half of it":         {"Noisy work at night", 0.5, 0.7},
		"part of a word":     {strings.Replace(text, "permit", "permits", 1), 0.01, 0.2},
		"something else":     {"We come tomorrow", 1, 1},
		"nothing of it left": {"", 1, 1},
	} {
		if got := knowledge.Edited(text, c.sent); got < c.from || got > c.to {
			t.Errorf("%s: %.2f, want %.2f to %.2f", name, got, c.from, c.to)
		}
	}
	if got := knowledge.Edited("夜间施工需要许可证。", "夜间施工需要执照。"); got < 0.2 || got > 0.5 {
		t.Errorf("Chinese: %.2f", got)
	}
	if knowledge.Edited(strings.Repeat("a b ", 100000), strings.Repeat("c d ", 100000)) != 1 {
		t.Error("long texts are not compared")
	}
}
