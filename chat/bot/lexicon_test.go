package bot

import (
	"testing"
	"testing/fstest"
)

func TestCuesMatchAsDocumented(t *testing.T) {
	t.Parallel()
	l, err := loadLexicon(fstest.MapFS{"data/cues_en.json": {Data: []byte(`{"script":"Latin","not_typo":["resort"],"cues":{
		"talk":["(talk|speak) * (person|human)"],"start":["^can i"],"end":["done$"],"typo":["report"],"han":["投诉*局","人工(服务|)"],"nested":["a (b (c|d)|) e"]}}`)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text, class string
		want        bool
	}{
		{"Talk to a real person!", "talk", true},
		{"talk person", "talk", true},
		{"talk to one two three four person", "talk", false},
		{"talk. A person", "talk", false},
		{"Can I go?", "start", true},
		{"So can I go?", "start", false},
		{"Hello. Can I go?", "start", true},
		{"I am done", "end", true},
		{"done it", "end", false},
		{"reprot it", "typo", true},
		{"repport it", "typo", true},
		{"reports", "typo", true},
		{"resort", "typo", false},
		{"retort", "typo", true}, // one letter away, and not listed
		{"depart", "typo", false},
		{"我要投诉城管局", "han", true},
		{"人工", "han", true},
		{"a e", "nested", true},
		{"a b d e", "nested", true},
		{"a b e", "nested", false},
	} {
		r := l.read(c.text)
		if got := r.has(c.class); got != c.want {
			t.Errorf("%q %s: got %v", c.text, c.class, got)
		}
	}
}

func TestBrokenCueFilesAreNamed(t *testing.T) {
	t.Parallel()
	for _, cue := range []string{"(a|b", "a)", "*", "(|)", ""} {
		_, err := loadLexicon(fstest.MapFS{"data/cues_xx.json": {Data: []byte(`{"cues":{"x":["` + cue + `"]}}`)}})
		if err == nil {
			t.Errorf("cue %q was accepted", cue)
		}
	}
}

func TestFindPlace(t *testing.T) {
	t.Parallel()
	l, err := loadLexicon(dataFS)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"there is a pothole in front of 5 Hill Street and nobody cares": "5 Hill Street",
		"noise at Willow Park":                        "Willow Park",
		"the garbage at Station Road 12 is piling up": "Station Road 12",
		"rude driver on bus 12, near Market Square":   "Market Square",
		"I waited 2 hours":                            "",
		"The street light outside is broken":          "",
		"my school is closed":                         "",
		"门口路灯不亮了":                                     "",
		"解放路路灯不亮":                                     "解放路",
		"the road is bad":                             "",
		"我要投诉解放路12号楼下晚上施工噪音":                          "解放路12号",
		"滨河花园3号楼电梯坏了":                                 "滨河花园3号楼",
		"人民公园的路灯不亮":                                   "人民公园",
		"我想投诉朝阳区幸福路88号的饭店油烟":                          "朝阳区幸福路88号",
		"你知道怎么办吗":                                     "",
		"我家小区没水了":                                     "",
		"这条路很堵":                                       "",
		"昨天晚上看见有人在人民公园打架":                             "人民公园",
		"我们公司不发工资":                                    "",
	} {
		if got := l.findPlace(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestPhoneAndEmail(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"call 555-2100": "555-2100", "(010) 6655 4433": "(010) 6655 4433", "+44 7700 900123": "+44 7700 900123",
		"手机１３８００１３８０００": "13800138000", "12": "", "12345678901234567890123": "",
	} {
		if got := findPhone(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"mei.lin+x@example.co.uk please": "mei.lin+x@example.co.uk", "我的邮箱li@example.org。": "li@example.org",
		"a@b": "", "a..b@example.org": "", "@example.org": "",
	} {
		if got := findEmail(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
