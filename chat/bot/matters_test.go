package bot_test

import (
	"testing"

	"hotline/chat/bot"
)

// A conversation from before an update still knows what was kept for afterwards.
func TestMattersOfAnOlderState(t *testing.T) {
	st := bot.DecodeState([]byte(`{"v":1,"lang":"en","later":["rubbish at 3 Mill Lane"]}`))
	if len(st.Later) != 1 || st.Later[0].Text != "rubbish at 3 Mill Lane" || st.Later[0].Beside {
		t.Fatalf("kept for afterwards: %+v", st.Later)
	}
	st.Later = append(st.Later, bot.Matter{Text: "the lift is broken", Beside: true})
	if got := bot.DecodeState(st.Encode()).Later; len(got) != 2 || got[0] != st.Later[0] || got[1] != st.Later[1] {
		t.Errorf("after a restart: %+v, want %+v", got, st.Later)
	}
}
