package chat_test

import (
	"strings"
	"testing"

	"hotline/internal/db"
	"hotline/internal/testkit"
)

// A citizen reads the name of who answers in the language of the conversation.
func TestStaffAreNamedInTheCitizensLanguage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	officer := r.city.Staff("operator")
	if _, err := testkit.OwnerPool(t, r.pool).Exec(ctxb, `update users set name = 'He Jiayi', names = '{"zh-CN": "何佳怡"}' where id = $1`, officer.User()); err != nil {
		t.Fatal(err)
	}
	for lang, name := range map[string]string{"zh-CN": "何佳怡", "en": "He Jiayi"} {
		in := message("reader-"+lang, "1", "你好")
		if lang == "en" {
			in.Text = "Hello, is anybody there?"
		}
		in.Lang = lang
		got, err := r.Ingest(ctxb, in)
		if err != nil {
			t.Fatal(err)
		}
		id := got.ConversationID
		if err := r.TakeOver(ctxb, officer, id); err != nil {
			t.Fatal(err)
		}
		conv, err := r.Conversation(ctxb, db.Citizen(id), id)
		if err != nil || conv.HolderName != name {
			t.Errorf("%s: the holder is %q, %v", lang, conv.HolderName, err)
		}
		ms := r.all(t, id)
		if last := ms[len(ms)-1]; last.Name != name || !strings.Contains(last.Text, name) {
			t.Errorf("%s: %q says %q", lang, last.Name, last.Text)
		}
	}
}
