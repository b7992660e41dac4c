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
	NoticeReview             = "article_review"  // a text waits for a reviewer
	NoticeRefused            = "article_refused" // to its author: it was sent back
	NoticeStale              = "article_stale"
	NoticeCorrection         = "article_correction"
	NoticeCorrectionReminder = "article_correction_reminder"
	NoticeCorrectionLate     = "article_correction_late"
	NoticeCorrectionHead     = "article_correction_head"
	NoticeCorrectionSettled  = "article_correction_settled"  // to who filed it
	NoticeCorrectionRejected = "article_correction_rejected" // to who filed it
)

func notify(ctx context.Context, tx db.Tx, owner uuid.UUID, role, kind string, article uuid.UUID, data map[string]string, now time.Time) error {
	if data == nil {
		data = map[string]string{}
	}
	_, err := tx.Exec(ctx, sqlNotice, db.NewID(), optional(owner), role, kind, article, data, now)
	return err
}

const sqlNoticeTo = `insert into notifications (id, agency_id, user_id, type, data, created_at)
	select $1, agency_id, id, $3, jsonb_build_object('article', $4::uuid), $5 from users where id = $2 and active`

// notifyPerson tells one person what became of something of theirs.
func notifyPerson(ctx context.Context, tx db.Tx, user uuid.UUID, kind string, article uuid.UUID, now time.Time) error {
	_, err := tx.Exec(ctx, sqlNoticeTo, db.NewID(), user, kind, article, now)
	return err
}
