package cluster_test

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"hotline/knowledge"
	"hotline/knowledge/cluster"
)

const dataDir = "../../../shared/data/routing/"

type example struct{ Text, Label string }

func read(t testing.TB, files ...string) (out []example) {
	t.Helper()
	for _, name := range files {
		f, err := os.Open(dataDir + name)
		if err != nil {
			t.Skipf("development data is not here: %v", err)
		}
		defer f.Close()
		sc := bufio.NewScanner(f)
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			var e example
			if err := json.Unmarshal(sc.Bytes(), &e); err != nil {
				t.Fatal(err)
			}
			out = append(out, e)
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func TestRealQuestions(t *testing.T) {
	for _, set := range []struct {
		name, lang string
		files      []string
		pure       float64 // of the questions that share a cluster: how many are of its commonest label, at least
		holds      float64 // how many share a cluster, at least
	}{{"banking77", "en", []string{"banking77_en/test.jsonl", "banking77_en/train.jsonl"}, 0.65, 0.85}, {"legal_zh", "zh", []string{"legal_zh/train.jsonl", "legal_zh/test.jsonl"}, 0.90, 0.35}} {
		es := read(t, set.files...)
		c := cluster.New()
		start := time.Now()
		at := make([]int, len(es))
		for i, e := range es {
			at[i] = c.Add(knowledge.ClusterText(e.Text, set.lang))
			if i%1000 == 999 {
				c.Merge(nil)
			}
		}
		c.Merge(nil)
		took := time.Since(start)
		groups := map[int]map[string]int{}
		labels := map[string]int{}
		for i, e := range es {
			k := at[i]
			for c.Get(k).Into >= 0 {
				k = c.Get(k).Into
			}
			if groups[k] == nil {
				groups[k] = map[string]int{}
			}
			groups[k][e.Label]++
			labels[e.Label]++
		}
		var pure, in5, pure5, in2, pure2, bp, br, pure5n float64
		for _, g := range groups {
			n, top := 0, 0
			for _, k := range g {
				n += k
				top = max(top, k)
			}
			pure += float64(top)
			if n >= 2 {
				in2 += float64(n)
				pure2 += float64(top)
			}
			if n >= 5 {
				in5 += float64(n)
				pure5 += float64(top)
				pure5n++
			}
			for l, k := range g {
				bp += float64(k) * float64(k) / float64(n)
				br += float64(k) * float64(k) / float64(labels[l])
			}
		}
		n := float64(len(es))
		bp, br = bp/n, br/n
		t.Logf("%s: %d questions, %d labels, %d clusters (%.0f of five or more) in %v; purity %.3f; of two or more: %.3f purity, holds %.2f; of five or more: %.3f, holds %.2f; BCubed P %.3f R %.3f F %.3f",
			set.name, len(es), len(labels), len(groups), pure5n, took, pure/n, pure2/in2, in2/n, pure5/in5, in5/n, bp, br, 2*bp*br/(bp+br))
		if pure2/in2 < set.pure || in2/n < set.holds {
			t.Errorf("%s: purity %.3f of %.2f, wanted %.2f of %.2f", set.name, pure2/in2, in2/n, set.pure, set.holds)
		}
	}
}
