package i18n

import "testing"

// Whatever a browser or a link says, the answer is a language that there are words for.
func FuzzNegotiate(f *testing.F) {
	f.Add("zh", "en", "de;q=0.8,zh-Hans;q=0.9")
	f.Add("<script>", "../..", "*;q=0,;;;")
	f.Add("x-private", "i-klingon", "en-u-co-phonebk-x-y")
	b := MustLoad()
	f.Fuzz(func(t *testing.T, explicit, remembered, accept string) {
		if got := b.Negotiate(explicit, remembered, accept); !b.Has(got) {
			t.Errorf("negotiated %q", got)
		}
	})
}
