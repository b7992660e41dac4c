package knowledge

import (
	"context"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
)

// Notices go to everybody of the owner agency with a role; where the agency has
// nobody with it, to the same of the hotline.
const sqlNotice = `with desk as (select id from agencies where kind = 'hotline' order by id limit 1),
	people as (select exists (select from users where agency_id = $2 and active and $3 = any(roles)) as there)
	insert into notifications (id, agency_id, role, type, data, created_at)
	select $1, case when people.there then $2 else desk.id end, case when people.there or $3 <> 'head' then $3 else 'supervisor' end, $4,
		jsonb_build_object('article', $5::uuid) || $6, $7 from desk, people`

// Kinds of notices about articles; the console has the words.
const (
	NoticeStale              = "article_stale"
	NoticeCorrection         = "article_correction"
	NoticeCorrectionReminder = "article_correction_reminder"
	NoticeCorrectionLate     = "article_correction_late"
	NoticeCorrectionHead     = "article_correction_head"
)

func notify(ctx context.Context, tx db.Tx, owner uuid.UUID, role, kind string, article uuid.UUID, data map[string]string, now time.Time) error {
	if data == nil {
		data = map[string]string{}
	}
	_, err := tx.Exec(ctx, sqlNotice, db.NewID(), optional(owner), role, kind, article, data, now)
	return err
}
