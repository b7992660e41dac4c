package knowledge

import (
	"context"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// Topic is what the portal lists articles under. Topics have two levels.
// Articles name a topic by its code; one that no topic has (an import's) is
// listed with Known false until somebody names it.
type Topic struct {
	Code     string
	Parent   string
	Names    map[string]string // by language
	Position int
	Articles int // that are published
	Known    bool
}

// Name is the topic's name in a language, or in another one.
func (t Topic) Name(lang string) string {
	for _, l := range []string{lang, BaseLang(lang), "en", "zh-CN"} {
		if n := t.Names[l]; n != "" {
			return n
		}
	}
	return t.Code
}

// Errors of topics.
var (
	ErrTopic     = errs.New(errs.Invalid, "knowledge.topic", "a topic needs a code and a name, and a parent that has none itself")
	ErrNotEngine = errs.New(errs.Forbidden, "knowledge.not_engine", "the search index is built anew by the hotline's editors and administrators")
	ErrNotDesk   = errs.New(errs.Forbidden, "knowledge.not_desk", "topics are kept by the hotline's editors")
	ErrTopicUsed = errs.New(errs.Conflict, "knowledge.topic_used", "a topic that others lie under cannot be removed")
)

const (
	sqlTopics = `with used as (select topic, count(*) filter (where live is not null) as n from articles where topic <> '' group by topic)
		select coalesce(t.code, u.topic), coalesce(t.parent, ''), coalesce(t.names, '{}'), coalesce(t.position, 1000), coalesce(u.n, 0), t.code is not null
		from knowledge_topics t full join used u on u.topic = t.code order by 4, 1 limit 2000`
	// What everybody may be shown, by topic: $4 the language.
	sqlPublicTopics = `with used as (select a.topic, count(*) as n` + sqlFromLive + ` and a.topic <> '' and a.lang = $4 group by a.topic)
		select coalesce(t.code, u.topic), coalesce(t.parent, ''), coalesce(t.names, '{}'), coalesce(t.position, 1000), coalesce(u.n, 0), t.code is not null
		from knowledge_topics t full join used u on u.topic = t.code order by 4, 1 limit 2000`
	sqlSaveTopic = `insert into knowledge_topics (code, parent, names, position) values ($1, nullif($2, ''), $3, $4)
		on conflict (code) do update set parent = excluded.parent, names = excluded.names, position = excluded.position`
	sqlTopicTurns = `lock table knowledge_topics in share row exclusive mode`
	sqlTopicFits  = `select ($2 = '' or exists (select from knowledge_topics p where p.code = $2 and p.parent is null and p.code <> $1))
		and ($2 = '' or not exists (select from knowledge_topics c where c.parent = $1))`
	sqlMoveTopic   = `update articles set topic = $2, updated_at = $3 where topic = $1`
	sqlRemoveTopic = `delete from knowledge_topics where code = $1`
	sqlByTopic     = `select ` + articleColumns + `, ` + versionColumns + sqlFromLive + ` and a.topic = $4 and a.lang = $5 and a.id > $6 order by a.id limit $7`
)

// Topics lists all topics with how many articles they hold.
func (s *Service) Topics(ctx context.Context) ([]Topic, error) {
	rows, err := s.Pool.Query(ctx, sqlTopics)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanTopic)
}

// PublicTopics lists the topics with how many articles of a language everybody
// may read now.
func (s *Service) PublicTopics(ctx context.Context, lang string) ([]Topic, error) {
	rows, err := s.Pool.Query(ctx, sqlPublicTopics, s.today(), false, s.Clock.Now(), lang)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanTopic)
}

func scanTopic(row pgx.CollectableRow) (t Topic, err error) {
	return t, row.Scan(&t.Code, &t.Parent, &t.Names, &t.Position, &t.Articles, &t.Known)
}

func (s Staff) mayKeepTopics() error {
	if err := s.mayEdit(); err != nil {
		return err
	}
	if !s.Actor.IsSystem() && !s.Actor.Desk() {
		return ErrNotDesk
	}
	return nil
}

// SaveTopic makes or changes a topic. Errors: ErrNotEditor, ErrNotDesk, ErrTopic
// naming the field.
func (s *Service) SaveTopic(ctx context.Context, by Staff, t Topic) error {
	if err := by.mayKeepTopics(); err != nil {
		return err
	}
	t.Code, t.Parent = clean(t.Code), clean(t.Parent)
	names := map[string]string{}
	for lang, name := range t.Names {
		if name = clean(name); name != "" && langTag.MatchString(lang) {
			names[lang] = name
		}
		if utf8.RuneCountInString(name) > maxTopic {
			return ErrTextTooLong.On("names").With("limit", maxTopic)
		}
	}
	switch {
	case t.Code == "" || utf8.RuneCountInString(t.Code) > maxTopic:
		return ErrTopic.On("code")
	case len(names) == 0:
		return ErrTopic.On("names")
	}
	return db.WithTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error {
		// Two editors who put each of two topics below the other would both find room.
		if _, err := tx.Exec(ctx, sqlTopicTurns); err != nil {
			return err
		}
		var fits bool
		if err := tx.QueryRow(ctx, sqlTopicFits, t.Code, t.Parent).Scan(&fits); err != nil {
			return err
		}
		if !fits {
			return ErrTopic.On("parent")
		}
		_, err := tx.Exec(ctx, sqlSaveTopic, t.Code, t.Parent, names, t.Position)
		return err
	})
}

// RemoveTopic removes a topic and moves its articles to another, or to none with
// "". Errors: as SaveTopic, ErrTopicUsed.
func (s *Service) RemoveTopic(ctx context.Context, by Staff, code, into string) error {
	if err := by.mayKeepTopics(); err != nil {
		return err
	}
	moved := int64(0)
	err := db.WithTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlRemoveTopic, code); db.Violates(err, "knowledge_topics_parent_fkey") {
			return ErrTopicUsed.Wrap(err)
		} else if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, sqlMoveTopic, code, clean(into), s.Clock.Now())
		moved = tag.RowsAffected()
		return err
	})
	if err == nil && moved > 0 {
		s.changed(ctx, "")
	}
	return err
}

// ByTopic lists what may be shown of a topic in a language, a page at a time;
// after is the last one's id.
func (s *Service) ByTopic(ctx context.Context, code, lang string, staff bool, after uuid.UUID, limit int) ([]Entry, error) {
	return s.servables(ctx, sqlByTopic, staff, code, lang, after, min(limit, 200))
}
