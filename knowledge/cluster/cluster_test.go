package cluster_test

import (
	"fmt"
	"slices"
	"testing"

	"hotline/knowledge"
	"hotline/knowledge/cluster"
)

// groups places questions and gives, for each, the number of the first one that it shares a cluster with.
func groups(lang string, questions ...string) []int {
	c := cluster.New()
	first := map[int]int{}
	var out []int
	for i, q := range questions {
		k := c.Add(knowledge.ClusterText(q, lang))
		if _, ok := first[k]; !ok {
			first[k] = i
		}
		out = append(out, first[k])
	}
	return out
}

func TestQuestionsThatAskForTheSameThingShareACluster(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, lang string
		questions  []string
		want       []int
	}{
		{"other words around the same matter", "en", []string{"Where can I register a beehive?", "How do I get my beehive registered in the city", "When is the library open on Sundays?"}, []int{0, 0, 2}},
		{"a typing error", "en", []string{"permit for a food truck", "I want a permitt for my food trucks", "permit for a demonstration"}, []int{0, 0, 2}},
		{"another number of the same thing", "en", []string{"Is the swimming pool heated?", "Are the swimming pools heated", "Who repairs the heating in my flat?"}, []int{0, 0, 2}},
		{"what was hidden says nothing", "en", []string{"my phone [PHONE_1] gets no signal underground", "[PHONE_1] please call about my rent subsidy"}, []int{0, 1}},
		{"Chinese in other words", "zh", []string{"养蜂需要办理登记吗？", "请问蜜蜂养殖怎么办登记", "公交卡丢了怎么补办", "我的公交卡丢失了，在哪里补办？"}, []int{0, 0, 2, 2}},
		{"a shared character is not a shared matter", "zh", []string{"残疾人停车证怎么办", "停水通知在哪里看"}, []int{0, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := groups(c.lang, c.questions...); !slices.Equal(got, c.want) {
				t.Errorf("%v, wanted %v", got, c.want)
			}
		})
	}
}

func TestLanguagesStayApart(t *testing.T) {
	t.Parallel()
	c := cluster.New()
	if a, b := c.Add(cluster.Text{Lang: "en", Terms: []string{"wifi"}}), c.Add(cluster.Text{Lang: "zh", Terms: []string{"wifi"}}); a == b {
		t.Error("two languages share a cluster")
	}
}

func TestNothingToCompare(t *testing.T) {
	t.Parallel()
	c := cluster.New()
	if k := c.Add(knowledge.ClusterText("??? [PHONE_1]", "en")); k != -1 {
		t.Errorf("placed into %d", k)
	}
	if k, ok := c.Near(knowledge.ClusterText("anything", "en")); ok {
		t.Errorf("near %d in an empty set", k)
	}
}

func TestWhatIsKnownAfterARestartTakesTheSameQuestions(t *testing.T) {
	t.Parallel()
	c := cluster.New()
	bees := c.Begin("en")
	c.Put(bees, knowledge.ClusterText("Where can I register a beehive?", "en"))
	if k, ok := c.Near(knowledge.ClusterText("register my beehive", "en")); !ok || k != bees {
		t.Errorf("%d, %v", k, ok)
	}
	if c.Get(bees).Size != 1 {
		t.Error("looking placed it")
	}
	library := c.Add(knowledge.ClusterText("When is the library open?", "en"))
	c.Join(library, bees) // a person says that they are one
	if k := c.Add(knowledge.ClusterText("opening hours: library open when?", "en")); k != bees {
		t.Errorf("a question of what was merged went to %d", k)
	}
}

func TestMergeBringsTogetherWhatGrewTogether(t *testing.T) {
	t.Parallel()
	c := cluster.New()
	a, b := c.Begin("en"), c.Begin("en")
	for i := range 4 {
		c.Put(a, knowledge.ClusterText(fmt.Sprintf("compost bin delivery to my garden %d", i), "en"))
		c.Put(b, knowledge.ClusterText(fmt.Sprintf("delivery of a compost bin to the garden %d", i+10), "en"))
	}
	if got := c.Merge(func(i int) bool { return true }); len(got) != 0 {
		t.Errorf("merged what was to be kept: %v", got)
	}
	if got := c.Merge(nil); len(got) != 1 || c.Get(a).Size+c.Get(b).Size < 8 {
		t.Errorf("%v, %d and %d", got, c.Get(a).Size, c.Get(b).Size)
	}
}

func TestTheSameOrderGivesTheSameClusters(t *testing.T) {
	t.Parallel()
	var qs []string
	for i := range 600 {
		qs = append(qs, fmt.Sprintf("question %d about %s and %s", i%7, []string{"bins", "dogs", "rent", "buses"}[i%4], []string{"fees", "forms", "hours"}[i%3]))
	}
	if a, b := groups("en", qs...), groups("en", qs...); !slices.Equal(a, b) {
		t.Error("two runs differ")
	}
}

// BenchmarkHundredThousand places 100,000 questions made of the real ones, in seconds.
func BenchmarkHundredThousand(b *testing.B) {
	es := read(b, "banking77_en/train.jsonl")
	texts := make([]cluster.Text, 0, 100000)
	for i := range 100000 {
		e := es[i%len(es)]
		other := es[(i*7+i/len(es))%len(es)]
		texts = append(texts, knowledge.ClusterText(e.Text+" "+other.Text[:len(other.Text)/3], "en"))
	}
	for b.Loop() {
		c := cluster.New()
		for i, t := range texts {
			c.Add(t)
			if i%10000 == 9999 {
				c.Merge(nil)
			}
		}
		b.ReportMetric(float64(c.Len()), "clusters")
	}
}
