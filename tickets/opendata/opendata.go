// Package opendata publishes a file a month: one row a ticket, without anything that a person wrote and without a place narrower than an area.
//
// A row that fewer than SmallCell tickets share in what could tell it apart (area, category, kind, channel, agency) is made coarser until enough share
// it, or left out; a property test holds it. Confidential tickets are never in it. Its rows are the facts of tickets/statistics.
//
// It may import tickets, tickets/statistics, tickets/measures and the leaves under internal.
package opendata

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/tickets/measures"
	"hotline/tickets/statistics"
)

// Store makes the files and keeps the list of them. It is safe for concurrent use.
type Store struct {
	pool       *pgxpool.Pool
	clock      clock.Clock
	statistics *statistics.Store
}

// New makes the store.
func New(pool *pgxpool.Pool, c clock.Clock, s *statistics.Store) *Store {
	return &Store{pool: pool, clock: c, statistics: s}
}

// ErrBadMonth: the month is not over, or before there were tickets.
var ErrBadMonth = errs.New(errs.Invalid, "tickets.bad_month", "a month in the form 2026-10 that is over is needed").On("month")

// Column describes a column of the open-data file.
type Column struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"` // string, integer, number, date
	Meaning string   `json:"meaning"`
	ZhCN    string   `json:"meaning_zh-CN"`
	Values  []string `json:"values,omitempty"`
}

var triState = []string{"yes", "no", "running", ""}

// Columns is the data dictionary.
func Columns() []Column {
	return []Column{
		{"week", "date", "Monday of the week in which the ticket was opened", "工单登记所在周的周一", nil},
		{"area", "string", "Code of the area, or of a larger one around it; empty: the whole jurisdiction", "区域代码，必要时为上级区域；空值表示全辖区", nil},
		{"category", "string", "Code of the category, or of the one above it; empty: not published", "事项分类代码，必要时为上级分类；空值表示不公布", nil},
		{"kind", "string", "What the ticket is; empty: not published", "诉求类型；空值表示不公布", tickets.Kinds()},
		{"channel", "string", "How it came; empty: not published", "来源渠道；空值表示不公布", nil},
		{"agency", "string", "Code of the agency that led it last; empty: none, or not published", "最后主办单位代码；空值表示无或不公布", nil},
		{"state", "string", "Where it stood when the file was made", "生成文件时的状态", []string{"open", "closed", "not_accepted", "withdrawn", "merged", "transferred"}},
		{"dispatched_on_time", "string", "Dispatched before the dispatch deadline", "是否按时派单", triState},
		{"signed_on_time", "string", "Signed for before the deadline", "是否按时签收", triState},
		{"responded_on_time", "string", "First word to the citizen before the deadline", "是否按时响应", triState},
		{"answered_on_time", "string", "Answered before the deadline, approved extensions counted", "是否按时办结（含批准的延期）", triState},
		{"hours_to_answer", "number", "Hours from opening to the first answer; empty: none", "从登记到首次答复的小时数；空值表示未答复", nil},
		{"redone", "string", "Sent back to the agency at least once", "是否重办", []string{"yes", "no", ""}},
		{"resolved", "string", "Resolved, as the citizen said; empty: not said", "诉求人是否认为已解决；空值表示未表态", []string{"yes", "no", ""}},
		{"grade", "integer", "Grade given by the citizen, 5 is the best; empty: none", "诉求人评分，5分最好；空值表示未评分", nil},
	}
}

// Trees are the parents of areas and categories and the codes of agencies, by which rows are made coarser and named.
type Trees struct {
	AreaParent, CategoryParent func(code string) string
	AgencyCode                 func(id string) string
}

// Table is a month's rows with what they mean.
type Table struct {
	Month        string    `json:"month"`
	Generated    time.Time `json:"generated"`
	Rows         int       `json:"rows"`
	LeftOut      int       `json:"left_out"`     // too few alike, even at the coarsest
	Confidential int       `json:"confidential"` // confidential tickets are never in it; their number, 0 when it is too small to be told
	SmallCell    int       `json:"small_cell"`
	Columns      []Column  `json:"columns"`
	Data         [][]any   `json:"data"`
}

// row is a row on its way: what tells it apart, and the rest.
type row struct {
	area, category, kind, channel string
	day                           time.Time
	agency                        string
	n                             measures.Counts
}

type cell struct{ area, category, kind, channel, agency string }

func (r row) cell() cell { return cell{r.area, r.category, r.kind, r.channel, r.agency} }

// coarsen makes rows coarser until each is one of at least k that are alike; what is left over is left out. Each step gives up the least telling
// thing first: channel, then the street, then the leaf of the category, then the kind, and so on up to nothing but the week.
func coarsen(rows []row, k int, t Trees) (kept []row, leftOut int) {
	up := func(parent func(string) string) func(*string) { return func(s *string) { *s = parent(*s) } }
	steps := []func(*row){
		func(r *row) { r.channel = "" },
		func(r *row) { up(t.AreaParent)(&r.area); r.agency = "" }, // a street's office would name the street
		func(r *row) { up(t.CategoryParent)(&r.category) },
		func(r *row) { up(t.AreaParent)(&r.area) },
		func(r *row) { r.kind = "" },
		func(r *row) { r.area = "" },
		func(r *row) { r.category = "" },
	}
	pending := rows
	for i := 0; ; i++ {
		cells := map[cell]int{}
		for _, r := range pending {
			cells[r.cell()]++
		}
		var small []row
		for _, r := range pending {
			if cells[r.cell()] >= k {
				kept = append(kept, r)
			} else {
				small = append(small, r)
			}
		}
		if i == len(steps) {
			return kept, len(small)
		}
		pending = small
		for j := range pending {
			steps[i](&pending[j])
		}
	}
}

// Of makes the file of a month ("2026-10") that is over.
// Errors: ErrBadMonth.
func (s *Store) Of(ctx context.Context, month string, t Trees) (Table, error) {
	from, err := time.Parse("2006-01", month)
	if err != nil || !from.AddDate(0, 1, 0).Before(s.statistics.Today().AddDate(0, 0, 1)) || from.Year() < 2000 {
		return Table{}, ErrBadMonth
	}
	set, _, err := s.statistics.Settings(ctx)
	if err != nil {
		return Table{}, err
	}
	out := Table{Month: month, Generated: s.clock.Now().UTC().Truncate(time.Second), SmallCell: set.SmallCell, Columns: Columns(), Data: [][]any{}}
	facts, confidential, err := s.statistics.Facts(ctx, from, from.AddDate(0, 1, 0))
	if err != nil {
		return Table{}, fmt.Errorf("open data: %w", err)
	}
	out.Confidential = confidential
	if out.Confidential < set.SmallCell {
		out.Confidential = 0
	}
	rows := make([]row, len(facts))
	for i, f := range facts {
		rows[i] = row{area: f.Area, category: f.Category, kind: f.Kind, channel: f.Channel, day: f.Day, agency: f.Agency.String(), n: f.N}
	}
	kept, leftOut := coarsen(rows, set.SmallCell, t)
	for _, r := range kept {
		out.Data = append(out.Data, r.cells(t))
	}
	// Sorted by what is published, so that the order gives nothing away that coarsening took.
	slices.SortFunc(out.Data, func(a, b []any) int {
		for i := range a {
			if c := compareCell(a[i], b[i]); c != 0 {
				return c
			}
		}
		return 0
	})
	out.Rows, out.LeftOut = len(out.Data), leftOut
	return out, nil
}

func compareCell(a, b any) int {
	x, y := fmt.Sprint(a), fmt.Sprint(b)
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

func week(day time.Time) time.Time { return day.AddDate(0, 0, -(int(day.Weekday())+6)%7) }

// cells is a row in the order of the dictionary.
func (r row) cells(t Trees) []any {
	tri := func(good, bad, open measures.Counter) any {
		switch {
		case r.n[good] > 0:
			return "yes"
		case r.n[bad] > 0:
			return "no"
		case r.n[open] > 0:
			return "running"
		}
		return ""
	}
	state := "closed"
	for c, name := range map[measures.Counter]string{measures.Withdrawn: "withdrawn", measures.Merged: "merged", measures.Refused: "not_accepted", measures.Transferred: "transferred"} {
		if r.n[c] > 0 {
			state = name
		}
	}
	if state == "closed" && r.n[measures.Open] > 0 {
		state = "open"
	}
	var hours, grade any
	redone := ""
	if r.n.Sum(measures.Kept, measures.Redone, measures.RedoneExcluded) > 0 {
		hours, redone = (r.n[measures.Minutes]+30)/60, "no"
		if r.n.Sum(measures.Redone, measures.RedoneExcluded) > 0 {
			redone = "yes"
		}
	}
	for i, c := range []measures.Counter{measures.Grade1, measures.Grade2, measures.Grade3, measures.Grade4, measures.Grade5} {
		if r.n[c] > 0 {
			grade = i + 1
		}
	}
	resolved := ""
	switch {
	case r.n[measures.Solved] > 0:
		resolved = "yes"
	case r.n.Sum(measures.Unsolved, measures.UnsolvedExcluded) > 0:
		resolved = "no"
	}
	return []any{week(r.day).Format(time.DateOnly), r.area, r.category, r.kind, r.channel, t.AgencyCode(r.agency), state, tri(measures.DispatchOK, measures.DispatchLate, measures.DispatchOpen),
		tri(measures.SignOK, measures.SignLate, measures.SignOpen), tri(measures.ResponseOK, measures.ResponseLate, measures.ResponseOpen), tri(measures.ResolveOK, measures.ResolveLate, measures.ResolveOpen),
		hours, redone, resolved, grade}
}

// WriteCSV writes the rows with a header.
func (d Table) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	head := make([]string, len(d.Columns))
	for i, col := range d.Columns {
		head[i] = col.Name
	}
	if err := c.Write(head); err != nil {
		return err
	}
	for _, row := range d.Data {
		line := make([]string, len(row))
		for i, v := range row {
			switch v := v.(type) {
			case nil:
			case string:
				line[i] = v // codes, not texts: nothing that a spreadsheet could run
			case int:
				line[i] = strconv.Itoa(v)
			case int64:
				line[i] = strconv.FormatInt(v, 10)
			}
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// WriteJSON writes the rows with their dictionary.
func (d Table) WriteJSON(w io.Writer) error { return json.NewEncoder(w).Encode(d) }

// File is a published file; its bytes are in the file store under Blob.
type File struct {
	Month     time.Time // the first of it
	Format    string    // csv or json
	Blob      string
	Rows      int
	LeftOut   int
	Size      int64
	SHA256    string
	CreatedAt time.Time
}

// Files is the store of the published files.
type Files interface {
	Put(ctx context.Context, key string, r io.Reader) error
}

const (
	filesSQL  = `select month, format, blob, rows, left_out, size, sha256, created_at from open_data_files order by month desc, format limit 240`
	fileSQL   = `select month, format, blob, rows, left_out, size, sha256, created_at from open_data_files where month = $1::date and format = $2`
	insertSQL = `insert into open_data_files (month, format, blob, rows, left_out, size, sha256, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (month, format) do update set blob = excluded.blob, rows = excluded.rows, left_out = excluded.left_out, size = excluded.size, sha256 = excluded.sha256, created_at = excluded.created_at`
)

// Publish makes a month's files, stores them and lists them. The same month again replaces them.
// Errors: ErrBadMonth.
func (s *Store) Publish(ctx context.Context, month string, t Trees, files Files) (Table, error) {
	d, err := s.Of(ctx, month, t)
	if err != nil {
		return d, err
	}
	from, _ := time.Parse("2006-01", month) // Of has parsed it
	var rows []File
	for format, write := range map[string]func(io.Writer) error{"csv": d.WriteCSV, "json": d.WriteJSON} {
		var buf bytes.Buffer
		if err := write(&buf); err != nil {
			return d, fmt.Errorf("open data: %w", err)
		}
		sum := sha256.Sum256(buf.Bytes())
		f := File{Month: from, Format: format, Blob: "open-data/" + db.NewID().String(), Rows: d.Rows, LeftOut: d.LeftOut, Size: int64(buf.Len()), SHA256: hex.EncodeToString(sum[:]), CreatedAt: d.Generated}
		if err := files.Put(ctx, f.Blob, &buf); err != nil {
			return d, fmt.Errorf("open data: %w", err)
		}
		rows = append(rows, f)
	}
	err = db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		for _, f := range rows {
			if _, err := tx.Exec(ctx, insertSQL, f.Month, f.Format, f.Blob, f.Rows, f.LeftOut, f.Size, f.SHA256, f.CreatedAt); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return d, fmt.Errorf("open data: %w", err)
	}
	return d, nil
}

// List lists the published files, the newest month first.
func (s *Store) List(ctx context.Context) ([]File, error) {
	return s.files(ctx, filesSQL)
}

// File finds one.
// Errors: tickets.ErrNotFound.
func (s *Store) File(ctx context.Context, month time.Time, format string) (File, error) {
	found, err := s.files(ctx, fileSQL, month, format)
	if err == nil && len(found) == 0 {
		err = tickets.ErrNotFound
	}
	if err != nil {
		return File{}, err
	}
	return found[0], nil
}

func (s *Store) files(ctx context.Context, sql string, args ...any) (out []File, err error) {
	err = db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowToStructByPos[File])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open data: %w", err)
	}
	return out, nil
}

// delay is how long after its end a month is published: most deadlines of its last days have run out by then.
const delay = 9 * 24 * time.Hour

// Due is the newest month whose files are due and not there, "" when there is none.
func (s *Store) Due(ctx context.Context) (string, error) {
	last := s.statistics.Today().Add(-delay)
	month := time.Date(last.Year(), last.Month(), 1, 0, 0, 0, 0, time.UTC).AddDate(0, -1, 0)
	first, err := s.statistics.FirstDay(ctx)
	if err != nil || first.IsZero() || first.After(month.AddDate(0, 1, -1)) {
		return "", err
	}
	if _, err := s.File(ctx, month, "csv"); !errors.Is(err, tickets.ErrNotFound) {
		return "", err
	}
	return month.Format("2006-01"), nil
}
