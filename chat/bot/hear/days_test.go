package hear

import (
	"strings"
	"testing"
	"time"
)

// Friday, 27 November 2026.
func TestDays(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("CST", 8*3600)
	today := time.Date(2026, 11, 27, 23, 30, 0, 0, zone)
	for _, c := range []struct{ asked, text, want string }{
		{"", "today", "2026-11-27"},
		{"", "yesterday evening", "2026-11-26"},
		{"", "last night around ten", "2026-11-26"},
		{"", "the day before yesterday", "2026-11-25"},
		{"", "on Monday of last week", "2026-11-16"},
		{"", "last Friday evening", "2026-11-20"},
		{"", "last Tuesday", "2026-11-17 2026-11-24"},
		{"Since when?", "since last Tuesday", "2026-11-17 2026-11-24"},
		{"", "next Wednesday", "2026-12-02"},
		{"", "next Sunday", "2026-11-29 2026-12-06"},
		{"", "this Sunday", "2026-11-29"},
		{"", "Wednesday", "2026-11-25 2026-12-02"},
		{"Since which day?", "Wednesday", "2026-11-25"},
		{"When is the appointment?", "Wednesday", "2026-12-02"},
		{"", "it started on Friday", "2026-11-27"},
		{"", "on the 3rd", "2026-11-03 2026-12-03"},
		{"When did it happen?", "on the 3rd", "2026-11-03"},
		{"When did it happen?", "the 31st", "2026-10-31"},
		{"", "the 15th of last month", "2026-10-15"},
		{"", "last month on the 15th", "2026-10-15"},
		{"", "3 March", "2027-03-03"},
		{"", "September 5th, 2025", "2025-09-05"},
		{"", "5 September last year", "2025-09-05"},
		{"", "3/4/2026", "2026-03-04 2026-04-03"},
		{"", "25/11", "2026-11-25"},
		{"", "three days ago", "2026-11-24"},
		{"", "about two weeks ago", "2026-11-13"},
		{"", "a month ago", "2026-10-27"},
		{"", "for 2 weeks now", "2026-11-13"},
		{"", "in three days", "2026-11-30"},
		{"", "2026-02-30", ""},
		{"", "last week", ""},
		{"", "I do not know", ""},
		{"", "in the second house", ""},
		{"Since when?", "3 March", "2026-03-03"},
		{"Since when?", "since 1 May", "2026-05-01"},
		{"When did it happen?", "5/3", "2026-03-05 2026-05-03"},
		{"When is the appointment due?", "3 March", "2027-03-03"},
		{"", "last Friday around 10.30", "2026-11-20"},
		{"", "yesterday at 8.30", "2026-11-26"},
		{"", "8.30 am yesterday", "2026-11-26"},
		{"Since when?", "24/7 since Monday", "2026-11-23"},
		{"When did it happen?", "we'd noticed it on the 3rd", "2026-11-03"},
		{"When did it happen?", "Friday the 13th", "2026-11-13"},
		{"", "on the 3rd floor since Monday", "2026-11-23"},
		{"", "the cat sat in the sun", ""},
		{"When is it due?", "the 31st", "2026-12-31"},
		{"", "2026/2/30", ""},

		{"", "今天早上", "2026-11-27"},
		{"", "前天晚上", "2026-11-25"},
		{"", "大前天", "2026-11-24"},
		{"", "昨晚十点", "2026-11-26"},
		{"", "下周三", "2026-12-02"},
		{"", "上周五晚上", "2026-11-20"},
		{"", "上上个星期天", "2026-11-15"},
		{"", "这周一", "2026-11-23"},
		{"", "周三", "2026-11-25 2026-12-02"},
		{"从哪天开始的？", "禮拜三", "2026-11-25"},
		{"", "上个月15号", "2026-10-15"},
		{"", "上个月十五号", "2026-10-15"},
		{"", "下个月三号", "2026-12-03"},
		{"", "15号", "2026-11-15 2026-12-15"},
		{"哪天发生的？", "15号吧", "2026-11-15"},
		{"", "3月1日", "2027-03-01"},
		{"从哪天开始的？", "十月二十一号", "2026-10-21"},
		{"", "去年3月1日", "2025-03-01"},
		{"", "2026年3月1日开始的", "2026-03-01"},
		{"", "三天前", "2026-11-24"},
		{"", "两个星期以前", "2026-11-13"},
		{"", "停水五天了", "2026-11-22"},
		{"从哪天开始的？", "3月1日", "2026-03-01"},
		{"", "两三天前", "2026-11-24 2026-11-25"},
		{"", "三五天前", "2026-11-22 2026-11-24"},
		{"", "每周一次", ""},
		{"", "半夜", ""},
		{"", "5号楼", ""},
		{"", "上周", ""},
		{"", "不记得了", ""},
	} {
		var got []string
		for _, d := range Days(c.asked, c.text, today) {
			got = append(got, d.Format("2006-01-02"))
			if d.Location() != zone || d.Hour() != 0 {
				t.Errorf("%q: %v is not midnight in the zone of the hotline", c.text, d)
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q %q: got %q, want %q", c.asked, c.text, s, c.want)
		}
	}
}

func TestWhichOfTwoDays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"the next one": 1, "the previous one": -1, "上周的": -1, "下周的": 1, "下周的，晚上": 0, "neither": 0} {
		for range 20 { // the words are a map: the answer must not hang on their order
			if got := Direction(text); got != want {
				t.Fatalf("%q: %d, want %d", text, got, want)
			}
		}
	}
}
