package bench

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// bare inserts the rows that one intake left, as one statement over one connection, as the owner of the tables: no row-level security, no
// code between, the fastest that this PostgreSQL can take the same rows into the same tables with the same indexes.
type bare struct {
	pool *pgxpool.Pool
	sql  string
	args []arg
}

// arg is one value: a constant, or one that is new for each run.
type arg struct {
	value *string
	fresh string // "" constant; else the name of a value that is made anew for each run, the same wherever it stands
	bytes bool
}

// rowSource says which rows of a table belong to an intake.
type rowSource struct{ table, where string }

// newBare reads the rows of one sample and prepares their insertion.
func newBare(ctx context.Context, owner *pgxpool.Pool, sources []rowSource, id uuid.UUID) (*bare, error) {
	b := &bare{pool: owner}
	var parts []string
	for _, s := range sources {
		columns, unique, err := columnsOf(ctx, owner, s.table)
		if err != nil {
			return nil, err
		}
		text := make([]string, len(columns))
		for i, c := range columns {
			text[i] = pgx.Identifier{c}.Sanitize() + "::text"
		}
		rows, err := owner.Query(ctx, fmt.Sprintf(`select %s from %s where %s`, strings.Join(text, ", "), s.table, s.where), id)
		if err != nil {
			return nil, fmt.Errorf("sample rows of %s: %w", s.table, err)
		}
		all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]*string, error) {
			values := make([]*string, len(columns))
			dest := make([]any, len(columns))
			for i := range values {
				dest[i] = &values[i]
			}
			return values, row.Scan(dest...)
		})
		if err != nil {
			return nil, fmt.Errorf("sample rows of %s: %w", s.table, err)
		}
		for _, values := range all {
			names, marks := make([]string, len(columns)), make([]string, len(columns))
			for i, v := range values {
				b.args = append(b.args, newArg(columns[i], v, unique[columns[i]]))
				names[i], marks[i] = pgx.Identifier{columns[i]}.Sanitize(), fmt.Sprintf("$%d", len(b.args))
			}
			parts = append(parts, fmt.Sprintf("insert into %s (%s) values (%s)", s.table, strings.Join(names, ", "), strings.Join(marks, ", ")))
		}
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("the sample has no rows")
	}
	var sql strings.Builder
	for i, p := range parts[:len(parts)-1] {
		if i == 0 {
			sql.WriteString("with ")
		} else {
			sql.WriteString(", ")
		}
		fmt.Fprintf(&sql, "i%d as (%s)", i, p)
	}
	sql.WriteString(" " + parts[len(parts)-1])
	b.sql = sql.String()
	return b, nil
}

// reference columns hold ids of rows that exist and stay what they are.
var reference = map[string]bool{"agency_id": true, "user_id": true, "lead_id": true, "author_user_id": true, "holder_user_id": true, "assignee_id": true, "category": true, "keys": true}

func newArg(column string, value *string, unique bool) arg {
	if value == nil || reference[column] {
		return arg{value: value}
	}
	if _, err := uuid.Parse(*value); err == nil {
		return arg{value: value, fresh: *value}
	}
	if unique {
		return arg{value: value, fresh: column + *value, bytes: strings.HasPrefix(*value, `\x`)}
	}
	return arg{value: value}
}

// columnsOf lists a table's columns, and those text or bytea columns whose values must be new in every row.
func columnsOf(ctx context.Context, pool *pgxpool.Pool, table string) (columns []string, unique map[string]bool, err error) {
	rows, err := pool.Query(ctx, `select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum`, table)
	if err != nil {
		return nil, nil, err
	}
	if columns, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return nil, nil, err
	}
	unique = map[string]bool{"number": table == "tickets", "code_hash": table == "tickets", "thread": true, "external_id": true}
	return columns, unique, nil
}

// insert runs the statement once with new ids.
func (b *bare) insert(ctx context.Context) error {
	fresh := map[string]string{}
	values := make([]any, len(b.args))
	for i, a := range b.args {
		switch {
		case a.value == nil:
			values[i] = nil
		case a.fresh == "":
			values[i] = *a.value
		default:
			v, ok := fresh[a.fresh]
			if !ok {
				v = newValue(a)
				fresh[a.fresh] = v
			}
			values[i] = v
		}
	}
	_, err := b.pool.Exec(ctx, b.sql, values...)
	return err
}

func newValue(a arg) string {
	if _, err := uuid.Parse(a.fresh); err == nil {
		return uuid.Must(uuid.NewV7()).String()
	}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	if a.bytes {
		return `\x` + hex.EncodeToString(random)
	}
	return hex.EncodeToString(random)
}
