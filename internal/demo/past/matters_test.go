package past

import "testing"

func TestKindFromWords(t *testing.T) {
	all := []string{"consult", "help", "complaint", "report", "suggestion", "praise"}
	for _, one := range []struct {
		said    string
		allowed []string
		want    string
	}{
		{"The lift has stood still for a week.", all, "complaint"},
		{"I want to thank teacher Lin for her patience.", all, "praise"},
		{"感谢林老师每天放学后陪我女儿练习朗读。", []string{"help", "complaint"}, ""}, // thanks are no complaint
		{"我举报某中学数学老师在家里开有偿补习班。", all, "report"},
		{"How do I renew my bus card?", all, "consult"},
		{"How do I renew my bus card?", []string{"complaint", "help"}, "help"}, // a question is no complaint either
		{"建议在车站加装座椅。", all, "suggestion"},
	} {
		if got := kindOf(one.said, one.allowed); got != one.want {
			t.Errorf("%q is %q, want %q", one.said, got, one.want)
		}
	}
}

// Texts of the past are there in both languages, and at least as many answers as questions.
func TestWordsAreComplete(t *testing.T) {
	w, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]texts{"details": w.Details, "questions": w.Questions, "answers": w.Answers, "words": w.Words, "helped": w.Helped, "not_solved": w.NotSolved,
		"solved": w.Solved, "rectified": w.Rectified, "outage.reports": w.Outage.Reports, "smell.reports": w.Smell.Reports, "dark": w.Dark, "chats.unknown": w.Chats.Unknown, "chats.staff": w.Chats.Staff, "chats.thanks": w.Chats.Thanks} {
		if len(set["en"]) == 0 || len(set["zh-CN"]) == 0 {
			t.Errorf("%s lacks a language", name)
		}
	}
	for _, outcome := range []string{"resolved", "partly_resolved", "explained", "planned", "not_confirmed"} {
		if len(w.Replies[outcome]["en"]) == 0 || len(w.Replies[outcome]["zh-CN"]) == 0 {
			t.Errorf("no reply for the outcome %s in both languages", outcome)
		}
	}
	for name, pair := range map[string][]string{"return_basis": w.ReturnBasis, "extension": w.Extension, "sent_back": w.SentBack, "order": w.Order, "exclusion": w.Exclusion, "flag": w.Flag, "appeal": w.Appeal} {
		if len(pair) != 2 {
			t.Errorf("%s has %d texts, want English and Chinese", name, len(pair))
		}
	}
	if len(w.Chats.Grades["en"]) != 5 || len(w.Chats.Grades["zh-CN"]) != 5 {
		t.Errorf("the grades of chats are %v, want five in each language", w.Chats.Grades)
	}
	for _, street := range streets {
		if w.Places[street].En == "" || w.Places[street].Zh == "" || w.Places[street].Lat == 0 {
			t.Errorf("no place for the street %s", street)
		}
	}
}
