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
		{"", "不记得了", ""},

		// roughly, and ranges: every day that can be meant
		{"Since when?", "20 may be dead", ""},
		{"Since when?", "since 20 May", "2026-05-20"},
		{"Since when?", "at the beginning of the month", "2026-11-01"},
		{"Since when?", "since the end of last month", "2026-10-31"},
		{"Since when?", "early March", "2026-03-01"},
		{"Since when?", "the end of September", "2026-09-30"},
		{"Since when?", "mid-October", "2026-10-15"},
		{"When is the appointment?", "the end of the month", "2026-11-30"},
		{"Since when?", "the beginning of the year", "2026-01-01"},
		{"Since when?", "last weekend", "2026-11-21 2026-11-22"},
		{"Since when?", "the weekend", "2026-11-21 2026-11-22"},
		{"When is the appointment?", "at the weekend", "2026-11-28 2026-11-29"},
		{"Since when?", "a couple of weeks ago", "2026-11-13"},
		{"Since when?", "a couple of days ago", "2026-11-25"},
		{"Since when?", "a year ago", "2025-11-27"},
		{"Since when?", "a few days ago", "2026-11-22 2026-11-23 2026-11-24 2026-11-25"},
		{"Since when?", "a few weeks ago", "2026-10-30 2026-11-06 2026-11-13"},
		{"Since when?", "last week", "2026-11-16 2026-11-17 2026-11-18 2026-11-19 2026-11-20 2026-11-21 2026-11-22"},
		{"Since when?", "this week", "2026-11-23 2026-11-24 2026-11-25 2026-11-26 2026-11-27"},
		{"Since when?", "half a month ago", "2026-11-12"},
		{"从哪天开始的？", "半个月前", "2026-11-12"},
		{"从哪天开始的？", "半个多月了", "2026-11-12"},
		{"从哪天开始的？", "月初", "2026-11-01"},
		{"从哪天开始的？", "月底", "2026-10-31"},
		{"哪天预约？", "月底", "2026-11-30"},
		{"从哪天开始的？", "上个月底", "2026-10-31"},
		{"从哪天开始的？", "上月中旬", "2026-10-15"},
		{"从哪天开始的？", "十月初", "2026-10-01"},
		{"从哪天开始的？", "2月底", "2026-02-28"},
		{"从哪天开始的？", "年初", "2026-01-01"},
		{"从哪天开始的？", "去年年底", "2025-12-31"},
		{"从哪天开始的？", "周末", "2026-11-21 2026-11-22"},
		{"从哪天开始的？", "上周末", "2026-11-21 2026-11-22"},
		{"从哪天开始的？", "上个周末", "2026-11-21 2026-11-22"},
		{"从哪天开始的？", "前几天", "2026-11-22 2026-11-23 2026-11-24 2026-11-25"},
		{"从哪天开始的？", "几个星期前", "2026-10-30 2026-11-06 2026-11-13"},
		{"从哪天开始的？", "上周", "2026-11-16 2026-11-17 2026-11-18 2026-11-19 2026-11-20 2026-11-21 2026-11-22"},
		{"从哪天开始的？", "两年前", "2024-11-27"},
		{"从哪天开始的？", "一周五天都没水", ""},
		{"从哪天开始的？", "2025年前就坏了", ""},
		{"从哪天开始的？", "周五一天都没水", "2026-11-27"},
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
	for text, want := range map[string]int{"the next one": 1, "the previous one": -1, "上周的": -1, "早一点的那个": -1, "the later one": 1, "后一个": 1, "前一个": -1, "下周的": 1, "下周的，晚上": 0, "neither": 0} {
		for range 20 { // the words are a map: the answer must not hang on their order
			if got := Direction(text); got != want {
				t.Fatalf("%q: %d, want %d", text, got, want)
			}
		}
	}
}
