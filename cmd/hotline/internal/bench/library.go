package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/db"
)

// library writes articles as unlike one another as those of a real collection. The demo city's own texts, cut and mixed, are not: a hundred
// thousand of them share a few hundred words, so every word of a question stands in thousands of articles.
//
// Words have the frequencies of a language (Zipf's law with Mandelbrot's shift), each article has a subject of its own whose words come back
// in it, and lengths are log-normal. Half is English, half Chinese.
type library struct {
	r  *rand.Rand
	en lexicon
	zh lexicon
}

// Sizes of the languages' vocabularies, and how far the frequent words of a language stand out. A body says the words of its subject about
// every third word.
const (
	englishWords = 60_000
	chineseWords = 40_000
	zipfExponent = 1.07
	zipfShift    = 2.7
	subjects     = 4_000
	subjectWords = 40
	subjectShare = 0.35
	medianWords  = 130 // of a body
	lengthSpread = 0.7 // standard deviation of the length's logarithm
	mostWords    = 2_000
)

func newLibrary(seed uint64) *library {
	l := &library{r: rand.New(rand.NewPCG(seed, 100))}
	l.en = lexicon{word: englishWord, cumulative: zipf(englishWords), between: " ", stop: ". "}
	l.zh = lexicon{word: chineseWord, cumulative: zipf(chineseWords), stop: "。"}
	return l
}

// zipf gives the summed frequencies of n words, the most frequent first.
func zipf(n int) []float64 {
	out := make([]float64, n)
	sum := 0.0
	for i := range out {
		sum += 1 / math.Pow(float64(i+1)+zipfShift, zipfExponent)
		out[i] = sum
	}
	return out
}

type lexicon struct {
	word          func(rank int) string
	cumulative    []float64
	between, stop string
}

func (x lexicon) draw(r *rand.Rand) int {
	at := r.Float64() * x.cumulative[len(x.cumulative)-1]
	lo, hi := 0, len(x.cumulative)-1
	for lo < hi {
		if mid := (lo + hi) / 2; x.cumulative[mid] < at {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// function words of English are its most frequent ones; search knows them as such.
var functionWords = strings.Fields("the of and to a in is you for that it or are be on with your as this by have if not can we from at will an was")

const consonants, vowels = "bcdfghklmnprstvz", "aeiou"

// englishWord spells a rank in syllables: short for frequent words, longer for rare ones.
func englishWord(rank int) string {
	if rank < len(functionWords) {
		return functionWords[rank]
	}
	var b strings.Builder
	for v := uint64(rank)*2654435761%99_991 + 90; v > 0; v /= 80 {
		b.WriteByte(consonants[v%80/5])
		b.WriteByte(vowels[v%5])
		if v%7 == 3 {
			b.WriteByte(consonants[v%16])
		}
	}
	return b.String()
}

// chineseWord is one character for the most frequent words and two for the rest. The characters themselves follow a law of that kind: words share them.
func chineseWord(rank int) string {
	const all = 3_500
	char := func(seed uint64) rune {
		u := float64(seed*0x9E3779B97F4A7C15>>11) / (1 << 53)
		return rune(0x4E00 + int(math.Exp(u*math.Log(all)))*5 + int(seed%5))
	}
	if rank < 60 {
		return string(rune(0x4E00 + 5*rank))
	}
	return string([]rune{char(uint64(rank)), char(uint64(rank)*31 + 7)})
}

// subject is what an article is about.
type subject struct{ words []int }

func (l *library) subject(x lexicon, id int) subject {
	r := rand.New(rand.NewPCG(uint64(id), 7))
	s := subject{words: make([]int, subjectWords)}
	for i := range s.words {
		for s.words[i] = x.draw(r); s.words[i] < 200; s.words[i] = x.draw(r) { // nobody's subject is a word that everything says
		}
	}
	return s
}

// text says n words, those of the subject among them.
func (l *library) text(x lexicon, s subject, n int, share float64) string {
	var b strings.Builder
	sentence := 0
	for i := range n {
		var w int
		if l.r.Float64() < share {
			w = s.words[int(math.Pow(l.r.Float64(), 2)*float64(len(s.words)))]
		} else {
			w = x.draw(l.r)
		}
		b.WriteString(x.word(w))
		if sentence++; sentence > 8 && l.r.Float64() < .12 || i == n-1 {
			b.WriteString(x.stop)
			sentence = 0
		} else {
			b.WriteString(x.between)
		}
	}
	return strings.TrimSpace(b.String())
}

// languages alternate.
var languages = [2]string{"en", "zh-CN"}

func (l *library) lexicon(i int) lexicon { return [2]lexicon{l.en, l.zh}[i%2] }

// article of a number, always the same subject for the same number.
type written struct {
	title, summary, body string
	questions            []string
}

func (l *library) article(i int) written {
	x := l.lexicon(i)
	s := l.subject(x, i%subjects*2+i%2)
	n := min(mostWords, max(20, int(medianWords*math.Exp(lengthSpread*l.r.NormFloat64()))))
	w := written{title: l.text(x, s, 4+l.r.IntN(5), .6), summary: l.text(x, s, 18, .5)}
	for left := n; left > 0; left -= 60 {
		w.body += l.text(x, s, min(60, left), subjectShare) + "\n\n"
	}
	for range l.r.IntN(4) {
		w.questions = append(w.questions, l.text(x, s, 5+l.r.IntN(6), .5))
	}
	return w
}

// question is asked by somebody about the subject of an article.
func (l *library) question(i int) (lang, text string) {
	x := l.lexicon(i)
	return languages[i%2], l.text(x, l.subject(x, l.r.IntN(subjects)*2+i%2), 4+l.r.IntN(8), .45)
}

// stock fills the knowledge base up to n published articles.
func (l *library) stock(ctx context.Context, owner *pgxpool.Pool, n int) error {
	var have int
	if err := owner.QueryRow(ctx, `select count(*) from articles where live is not null`).Scan(&have); err != nil {
		return err
	}
	now := time.Now()
	ids := make([]uuid.UUID, max(0, n-have))
	articles := openTable(ctx, owner, "articles", "id, external_id, lang, slug, topic, live, created_at, updated_at")
	for i := range ids {
		ids[i] = db.NewID()
		name := fmt.Sprintf("library-%d", have+i)
		if err := articles.add(ids[i], name, languages[i%2], name, "library", 1, now, now).end(); err != nil {
			break // close says why
		}
	}
	if err := articles.close(); err != nil {
		return err
	}
	versions := openTable(ctx, owner, "article_versions", "article_id, version, state, title, summary, body, questions, created_at, published_at")
	for i, id := range ids {
		w := l.article(i)
		if err := versions.add(id, 1, "published", w.title, w.summary, w.body, w.questions, now, now).end(); err != nil {
			break
		}
	}
	if err := versions.close(); err != nil {
		return err
	}
	_, err := owner.Exec(ctx, `analyze articles, article_versions`)
	return err
}
