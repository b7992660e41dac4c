package app_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/channels/sms/smstest"
	"hotline/chat"
	"hotline/internal/testkit"
	"hotline/tickets"
)

// mobile is a telephone, as its owner reads and writes it.
type mobile struct {
	t    *testing.T
	smsc *smstest.SMSC
	to   string
	seen int // of the messages to it, joined from their parts
	ref  int
}

// writes sends a text in as many parts of UCS-2 as it takes.
func (p *mobile) writes(text string) {
	p.t.Helper()
	const room = 67
	runes := []rune(text)
	m := smstest.Message{From: p.to, Text: text}
	if len(runes) <= room+3 {
		p.delivers(m)
		return
	}
	p.ref++
	m.Ref, m.Total = p.ref, (len(runes)+room-1)/room
	for part := range slices.Chunk(runes, room) {
		m.Part++
		m.Text = string(part)
		p.delivers(m)
	}
}

func (p *mobile) delivers(m smstest.Message) {
	p.t.Helper()
	if status, ok := p.smsc.Deliver(m); !ok || status != 0 {
		p.t.Fatalf("%v, status %02X", ok, status)
	}
}

// reads waits for a message that holds all the words, behind those that were read.
func (p *mobile) reads(words ...string) smstest.Submitted {
	p.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; wait(p.t.Context(), wait20ms) {
		mine := slices.DeleteFunc(smstest.Join(p.smsc.Submitted()), func(m smstest.Submitted) bool { return m.To != p.to })
		for i, m := range mine[min(p.seen, len(mine)):] {
			if m.Receipt && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(m.Text, w) }) {
				p.seen += i + 1
				return m
			}
		}
		if time.Now().After(deadline) {
			var all []string
			for _, m := range mine {
				all = append(all, m.Text)
			}
			p.t.Fatalf("no message says %q; there were\n%s", words, strings.Join(all, "\n---\n"))
		}
	}
}

// types answers with the number of a quick reply.
func (p *mobile) types(m smstest.Submitted, label string) {
	p.t.Helper()
	for line := range strings.SplitSeq(m.Text, "\n") {
		if n, words, ok := strings.Cut(line, " "); ok && strings.HasPrefix(words, label) {
			p.writes(n)
			return
		}
	}
	p.t.Fatalf("%q is not offered in %q", label, m.Text)
}

// TestACaseBySMS is the whole way of a case by text message, in Chinese: told in parts, opened, news of a mass event, the answer with its receipt, the revisit
// with a grade, and the end of messages.
func TestACaseBySMS(t *testing.T) {
	t.Parallel()
	smsc := smstest.New(t)
	log, logged := testkit.NewLog()
	a := start(t, log, "HOTLINE_SMS_URL="+smsc.URL(), "HOTLINE_SMS_FROM=12345")
	p := &mobile{t: t, smsc: smsc, to: "8613800001111"}
	p.writes("我要投诉：小区旁边的工地每天晚上都在施工，噪音非常大，已经连续一个多星期了，老人和孩子都睡不着觉，打了好几次电话也没有人来管，请你们尽快派人到现场查一查，处理一下，谢谢。")
	p.reads("在什么地方")
	p.writes("兰汀大道12号")
	p.types(p.reads("怎么联系您"), "在这里答复我就行")
	p.types(p.reads("请您核对一下"), "对，提交")
	filed := p.reads("查询码")
	if !code.MatchString(filed.Text) || filed.Coding != 8 {
		t.Errorf("no tracking code in %q", filed.Text)
	}
	var k tickets.Ticket
	number := regexp.MustCompile(`\d{4}-\d{6}`).FindString(filed.Text)
	read := func() tickets.Ticket {
		t.Helper()
		var err error
		if k, err = a.Tickets.ByNumber(t.Context(), tickets.System(), number); err != nil {
			t.Fatal(err)
		}
		return k
	}
	if read(); k.Channel != "sms" || k.Lang != "zh-CN" || !strings.Contains(k.Description, "打了好几次电话") || !strings.Contains(k.Place, "兰汀大道12号") {
		t.Fatalf("%+v", k)
	}
	for line := range strings.Lines(logged.String()) {
		if strings.Contains(line, "13800001111") || strings.Contains(line, "噪音") || strings.Contains(line, smstest.Password) {
			t.Errorf("the log says %s", line)
		}
	}

	// Others report the same; what is told to all of them reaches the telephone.
	other, err := a.Chat.FileTicket(t.Context(), chat.Filing{Channel: channels.Portal, Account: "form", ExternalID: uuid.NewString(), Lang: "zh-CN",
		Draft: tickets.Draft{Kind: "complaint", Description: "工地夜里施工", Lang: "zh-CN"}})
	if err != nil {
		t.Fatal(err)
	}
	desk := tickets.Staff(staffOf(t, a, "dispatcher@lanting.example").Actor, []string{"dispatcher", "operator", "supervisor"})
	if _, err := a.Tickets.Apply(t.Context(), desk, other.Ticket.ID, tickets.AnyVersion, tickets.Merge, tickets.Fields{Parent: k.ID}, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Tickets.Broadcast(t.Context(), desk, k.ID, "执法人员今晚到现场检查。", ""); err != nil {
		t.Fatal(err)
	}
	p.reads("今晚到现场检查")

	// The agency answers; the operator says what became of it, and staff see that.
	answerCase(t, a, read())
	answer := p.reads("The lamp has a new bulb.")
	sees := func(state string) {
		t.Helper()
		awaitRow(t, a, "the message "+state, `select exists (select from deliveries d join messages m on m.conversation_id = d.conversation_id and m.seq = d.seq
			where d.conversation_id = $1 and m.text like '%new bulb%' and d.state = $2)`, k.ConversationID, state)
	}
	sees("sent")
	if status, ok := smsc.Receipt(answer.ID, "DELIVRD"); !ok || status != 0 {
		t.Fatal(status, ok)
	}
	sees("delivered")

	// The revisit is a text message, and its answer a number and a grade.
	yesNo := func() smstest.Submitted {
		t.Helper()
		for _, action := range []tickets.Action{tickets.Complete, tickets.StartRevisit, tickets.AskRevisit} {
			if _, err := a.Tickets.Apply(t.Context(), desk, k.ID, tickets.AnyVersion, action, tickets.Fields{}, ""); err != nil {
				t.Fatalf("%s: %v", action, err)
			}
		}
		a.Chat.Announce(read())
		return p.reads("解决了吗", k.Number)
	}
	p.types(yesNo(), "已经解决")
	p.types(p.reads("满意"), "满意")
	awaitRow(t, a, "the grade", `select exists (select from tickets where id = $1 and citizen_resolved and grade = 4)`, k.ID)
	p.reads("谢谢")

	// STOP ends it, in words; whoever writes again is answered again.
	p.writes("退订")
	p.reads("不再收到")
	if _, err := a.Chat.Post(t.Context(), staffOf(t, a, "dispatcher@lanting.example").Actor, k.ConversationID, chat.Outgoing{Text: "还有一件事。", TicketID: k.ID}); err != nil {
		t.Fatal(err)
	}
	awaitRow(t, a, "the message that is not sent", `select exists (select from deliveries d join messages m on m.conversation_id = d.conversation_id and m.seq = d.seq
		where d.conversation_id = $1 and m.text = '还有一件事。' and d.state = 'failed' and d.error like '%does not want%')`, k.ConversationID)
	p.writes("驾驶证快到期了怎么换证？")
	p.reads("驾驶证")
	if slices.ContainsFunc(smsc.Submitted(), func(m smstest.Submitted) bool { return strings.Contains(m.Text, "还有一件事") }) {
		t.Error("who had stopped the messages got one")
	}
	told := 0
	for _, m := range smstest.Join(smsc.Submitted()) {
		if strings.Contains(m.Text, "今晚到现场检查") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the news of the mass event was told %d times", told)
	}
	awaitRow(t, a, "no part to be left", `select not exists (select from message_parts)`)
}
