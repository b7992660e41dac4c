package knowledge

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/knowledge/vector"
)

// Embedder turns texts into vectors that lie near each other when the texts
// mean much the same.
type Embedder interface {
	// Name is the model's id, "" when none is set up. Vectors of another name are stale.
	Name() string
	// Embed gives a vector of the same length for each text, in order.
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// Bounds of embedding.
const (
	embedWithin   = 300 * time.Millisecond // of a question: a search does without rather than wait
	embedBatch    = 32                     // articles
	embedCall     = time.Minute            // of a batch
	chunkRunes    = 1200
	mostChunks    = 6
	cachedVectors = 512 // of questions
)

// vectors are those of the articles, on this node, and what is known of the model's health.
type vectors struct {
	mu    sync.RWMutex
	model string
	sets  map[string]*vector.Set // by language and audience
	place map[string]string      // article → set
	seen  time.Time              // up to which rows were read
	asked map[string][]float32   // questions
	// health of the model, kept as that of an engine is
	health engine
}

func (v *vectors) reset(model string) {
	v.model, v.sets, v.place, v.seen, v.asked = model, map[string]*vector.Set{}, map[string]string{}, time.Time{}, map[string][]float32{}
}

func setKey(lang, audience string) string { return BaseLang(lang) + " " + audience }

// put replaces an article's vectors.
func (v *vectors) put(id, key string, codes []vector.Code) {
	if old, ok := v.place[id]; ok {
		v.sets[old].Delete(id)
	}
	if v.sets[key] == nil || v.sets[key].Len() == 0 && v.sets[key].Dim() != len(codes[0]) {
		v.sets[key] = vector.NewSet(len(codes[0]))
	}
	v.sets[key].Put(id, codes...)
	v.place[id] = key
}

func (v *vectors) status(out *EngineStatus) {
	v.mu.RLock()
	out.Model, out.Vectors = v.model, len(v.place)
	v.mu.RUnlock()
	v.health.mu.Lock()
	defer v.health.mu.Unlock()
	out.ModelFault = faultOf(v.health.err, ErrModelSlow, ErrModelFails)
}

// near lists articles by nearness, best first.
func (v *vectors) near(q []float32, lang string, staff bool, limit int) []string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var hits []vector.Hit
	for key, set := range v.sets {
		l, audience, _ := strings.Cut(key, " ")
		if (lang == "" || lang == l) && (staff || audience != AudienceStaff) {
			hits = append(hits, set.Search(q, limit)...)
		}
	}
	slices.SortFunc(hits, func(a, b vector.Hit) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
	out := make([]string, 0, limit)
	for _, h := range hits[:min(limit, len(hits))] {
		out = append(out, h.ID)
	}
	return out
}

const (
	sqlVectorsSince = `select x.article_id, a.lang, a.audience, x.code, x.made_at from article_vectors x join articles a on a.id = x.article_id and a.live = x.version
		where x.model = $1 and x.made_at > $2 order by x.article_id, x.chunk`
	sqlUnembedded = `select a.id from articles a where a.live is not null and not a.id = any($3)
		and not exists (select from article_vectors x where x.article_id = a.id and x.version = a.live and x.model = $1) order by a.id limit $2`
	sqlForgetVectors = `delete from article_vectors where article_id = any($1)`
	sqlInsertVector  = `insert into article_vectors (article_id, version, model, chunk, code, made_at) values ($1, $2, $3, $4, $5, $6)`
)

func (s *Service) embedder() string {
	if s.Embedder == nil {
		return ""
	}
	return s.Embedder.Name()
}

// LoadVectors reads the vectors that were made since it last did. It does
// nothing where no model is set up. Errors: the database's.
func (s *Service) LoadVectors(ctx context.Context) error {
	name := s.embedder()
	v := &s.vectors
	v.mu.Lock()
	if v.model != name {
		v.reset(name)
	}
	since := v.seen
	v.mu.Unlock()
	if name == "" {
		return nil
	}
	type row struct {
		ID             uuid.UUID
		Lang, Audience string
		Code           []byte
		At             time.Time
	}
	return db.ReadTx(ctx, s.Pool, db.System(), func(tx db.Tx) error {
		// A batch may be stamped before and committed after another.
		rows, err := tx.Query(ctx, sqlVectorsSince, name, since.Add(-catchUpSlack))
		if err != nil {
			return fmt.Errorf("read vectors: %w", err)
		}
		var own []vector.Code
		var last row
		flush := func() {
			v.mu.Lock()
			defer v.mu.Unlock()
			if len(own) > 0 && v.model == name {
				v.put(last.ID.String(), setKey(last.Lang, last.Audience), own)
			}
			if last.At.After(v.seen) {
				v.seen = last.At
			}
			own = nil
		}
		var r row
		if _, err := pgx.ForEachRow(rows, []any{&r.ID, &r.Lang, &r.Audience, &r.Code, &r.At}, func() error {
			if r.ID != last.ID {
				flush()
			}
			own, last = append(own, vector.Code(slices.Clone(r.Code))), r
			return nil
		}); err != nil {
			return fmt.Errorf("read vectors: %w", err)
		}
		flush()
		return nil
	})
}

// nearest lists the articles whose vectors are nearest to a question, best
// first; none where there is no model, or it does not answer in time.
func (s *Service) nearest(ctx context.Context, q Query) []string {
	v := &s.vectors
	v.mu.RLock()
	usable := v.model != "" && len(v.place) > 0 // which model is set up was asked by LoadVectors
	known := v.asked[q.Text]
	v.mu.RUnlock()
	if !usable {
		return nil
	}
	if known == nil {
		if !v.health.usable(s.Clock.Now()) {
			return nil
		}
		short, cancel := context.WithTimeout(ctx, embedWithin)
		defer cancel()
		got, err := s.Embedder.Embed(short, []string{q.Text})
		if err == nil && len(got) != 1 {
			err = fmt.Errorf("%d vectors for one text", len(got))
		}
		if err != nil {
			if ctx.Err() == nil && v.health.failed(s.Clock.Now(), err) {
				s.Log.WarnContext(ctx, "the model for embeddings fails; searches go by words alone meanwhile", "error", err)
			}
			return nil
		}
		v.health.worked()
		known = got[0]
		v.mu.Lock()
		if len(v.asked) >= cachedVectors {
			clear(v.asked)
		}
		v.asked[q.Text] = known
		v.mu.Unlock()
	}
	return v.near(known, BaseLang(q.Lang), q.Audience == AudienceStaff, max(Proposals, q.Limit))
}

// Fusion by reciprocal rank (Cormack, Clarke and Büttcher, SIGIR 2009). Words count more than vectors, and first places far more than the next: what a
// model says that nobody has tried on these articles may change the order of neighbours and bring in what no word finds, not more. The figures were
// chosen so that a model that knows spelling alone spoils little (knowledge/eval).
const (
	fusionRank   = 2
	vectorWeight = 0.3
)

// Fuse merges two orders of articles, best first. When the words are sure of
// their first article it stays first; with no second order they stay as they
// are.
func Fuse(words, near []string, sure bool) []string {
	if len(near) == 0 {
		return words
	}
	score := make(map[string]float64, len(words)+len(near))
	out := slices.Clone(words)
	for i, id := range words {
		score[id] = 1 / float64(fusionRank+i+1)
	}
	for i, id := range near {
		if _, ok := score[id]; !ok {
			out = append(out, id)
		}
		score[id] += vectorWeight / float64(fusionRank+i+1)
	}
	if sure && len(words) > 0 {
		score[words[0]] = 1
	}
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Compare(score[b], score[a]) })
	return out
}

// Chunks cuts a document into the texts that are embedded: the first says what
// it is asked by, all begin with the title.
func Chunks(d Doc) []string {
	head := strings.Join(append([]string{d.Title}, d.Questions...), "\n")
	if d.Summary != "" {
		head += "\n" + d.Summary
	}
	out := []string{cutRunes(head, chunkRunes)}
	rest := strings.TrimSpace(d.Body)
	for rest != "" && len(out) < mostChunks {
		part := cutRunes(rest, chunkRunes)
		if i := strings.LastIndexAny(part, "\n。."); i > len(part)/2 && len(part) < len(rest) {
			_, size := utf8.DecodeRuneInString(part[i:])
			part = part[:i+size]
		}
		if utf8.RuneCountInString(out[0])+utf8.RuneCountInString(part) <= chunkRunes && len(out) == 1 && len(part) == len(rest) {
			return []string{out[0] + "\n" + part} // a short article is one text
		}
		out = append(out, d.Title+"\n"+part)
		rest = strings.TrimSpace(rest[len(part):])
	}
	return out
}

func cutRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// EmbedStale makes the vectors that are missing, a batch after the other, and
// reports how many articles got theirs. It is run by one node at a time. An
// article that the model refuses is passed over until the next run. Errors: the
// model's and the database's.
func (s *Service) EmbedStale(ctx context.Context) (made int, err error) {
	name := s.embedder()
	if name == "" {
		return 0, nil
	}
	refused := []uuid.UUID{}
	told := s.Clock.Now()
	for {
		ids, err := s.unembedded(ctx, name, refused)
		if err != nil || len(ids) == 0 {
			return made, err
		}
		entries, err := s.indexableEntries(ctx, ids)
		if err != nil {
			return made, err
		}
		n, failed, err := s.embedEntries(ctx, name, entries)
		made += n
		if err != nil {
			return made, err
		}
		refused = append(refused, failed...)
		if now := s.Clock.Now(); now.Sub(told) >= progressEvery {
			told = now
			s.Log.InfoContext(ctx, "article vectors: being made", "done", made)
		}
	}
}

func (s *Service) unembedded(ctx context.Context, name string, but []uuid.UUID) (ids []uuid.UUID, err error) {
	err = db.ReadTx(ctx, s.Pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlUnembedded, name, embedBatch, but)
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		return err
	})
	return ids, err
}

// embedEntries makes and keeps the vectors of some articles. When the model refuses them together they are tried one by one; when it refuses all, it is away.
func (s *Service) embedEntries(ctx context.Context, name string, entries []Entry) (made int, refused []uuid.UUID, err error) {
	err = s.embedTogether(ctx, name, entries)
	if err == nil {
		return len(entries), nil, nil
	}
	if len(entries) == 1 || ctx.Err() != nil {
		return 0, nil, err
	}
	for _, e := range entries {
		if one := s.embedTogether(ctx, name, []Entry{e}); one != nil {
			refused = append(refused, e.Article.ID)
			if made == 0 && len(refused) == 3 {
				return 0, nil, one
			}
			continue
		}
		made++
	}
	if made == 0 {
		return 0, nil, err
	}
	s.Log.WarnContext(ctx, "the model makes no vectors of some articles", "articles", len(refused), "error", err)
	return made, refused, nil
}

func (s *Service) embedTogether(ctx context.Context, name string, entries []Entry) error {
	var texts []string
	counts := make([]int, len(entries))
	for i, e := range entries {
		chunks := Chunks(e.Article.doc(e.Version))
		texts, counts[i] = append(texts, chunks...), len(chunks)
	}
	short, cancel := context.WithTimeout(ctx, embedCall)
	defer cancel()
	got, err := s.Embedder.Embed(short, texts)
	if err == nil && len(got) != len(texts) {
		err = fmt.Errorf("%d vectors for %d texts", len(got), len(texts))
	}
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	return db.WithTx(ctx, s.Pool, db.System(), func(tx db.Tx) error {
		ids := make([]uuid.UUID, len(entries))
		for i, e := range entries {
			ids[i] = e.Article.ID
		}
		if _, err := tx.Exec(ctx, sqlForgetVectors, ids); err != nil {
			return err
		}
		b := &pgx.Batch{}
		for i, e := range entries {
			for chunk, v := range got[:counts[i]] {
				b.Queue(sqlInsertVector, e.Article.ID, e.Version.Number, name, chunk, []byte(vector.Encode(v)), now)
			}
			got = got[counts[i]:]
		}
		return tx.SendBatch(ctx, b).Close()
	})
}
