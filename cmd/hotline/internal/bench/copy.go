package bench

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// table writes rows of one table with COPY, a piece at a time over a connection of its own.
type table struct {
	name   string
	buf    []byte
	cols   int // written in the present row
	pieces chan []byte
	done   chan error
	failed atomic.Bool
	rows   int
}

const copyPiece = 4 << 20

func openTable(ctx context.Context, pool *pgxpool.Pool, name, columns string) *table {
	t := &table{name: name, pieces: make(chan []byte, 1), done: make(chan error, 1)}
	go func() {
		var failed error
		for piece := range t.pieces {
			if failed != nil {
				continue // so that the writer never waits
			}
			failed = pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
				_, err := c.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(piece), "copy "+name+" ("+columns+") from stdin")
				return err
			})
			t.failed.Store(failed != nil)
		}
		t.done <- failed
	}()
	return t
}

var arrayEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

var copyEscapes = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)

// add writes one column: nil is null.
func (t *table) add(values ...any) *table {
	for _, v := range values {
		if t.cols > 0 {
			t.buf = append(t.buf, '\t')
		}
		t.cols++
		switch v := v.(type) {
		case nil:
			t.buf = append(t.buf, `\N`...)
		case string:
			t.buf = append(t.buf, copyEscapes.Replace(v)...)
		case int:
			t.buf = strconv.AppendInt(t.buf, int64(v), 10)
		case bool:
			t.buf = strconv.AppendBool(t.buf, v)
		case float64:
			t.buf = strconv.AppendFloat(t.buf, v, 'f', 6, 64)
		case uuid.UUID:
			if v == uuid.Nil {
				t.buf = append(t.buf, `\N`...)
				continue
			}
			t.buf = append(t.buf, v.String()...)
		case []uuid.UUID:
			t.buf = append(t.buf, '{')
			for i, id := range v {
				if i > 0 {
					t.buf = append(t.buf, ',')
				}
				t.buf = append(t.buf, id.String()...)
			}
			t.buf = append(t.buf, '}')
		case []string:
			t.buf = append(t.buf, '{')
			for i, e := range v {
				if i > 0 {
					t.buf = append(t.buf, ',')
				}
				t.buf = append(t.buf, copyEscapes.Replace(`"`+arrayEscapes.Replace(e)+`"`)...)
			}
			t.buf = append(t.buf, '}')
		case []byte:
			t.buf = append(t.buf, `\\x`...)
			t.buf = hex.AppendEncode(t.buf, v)
		case time.Time:
			if v.IsZero() {
				t.buf = append(t.buf, `\N`...)
				continue
			}
			t.buf = v.UTC().AppendFormat(t.buf, "2006-01-02 15:04:05.999999Z07:00")
		default:
			panic(fmt.Sprintf("copy %s: %T", t.name, v)) // a mistake in this package
		}
	}
	return t
}

// errCopy: an earlier piece was refused; close says why.
var errCopy = errors.New("copy: refused")

// end ends the row. Errors: errCopy.
func (t *table) end() error {
	t.buf = append(t.buf, '\n')
	t.cols = 0
	t.rows++
	if len(t.buf) < copyPiece {
		return nil
	}
	if t.failed.Load() {
		return errCopy
	}
	t.pieces <- t.buf
	t.buf = make([]byte, 0, copyPiece+4096)
	return nil
}

// close writes what is left and says what came of all.
func (t *table) close() error {
	t.pieces <- t.buf
	close(t.pieces)
	if err := <-t.done; err != nil {
		return fmt.Errorf("copy %s: %w", t.name, err)
	}
	return nil
}

// bulk drops the foreign keys, the plain indexes and the unique constraints that no foreign key rests on, and returns the statements that make them again, indexes first.
func bulk(ctx context.Context, owner *pgxpool.Pool, tables []string) (indexes, keys []string, err error) {
	read := func(sql string) ([]string, error) {
		rows, err := owner.Query(ctx, sql, tables)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if keys, err = read(`select format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint
		where (contype = 'f' or contype in ('p', 'u') and not exists (select from pg_constraint k where k.contype = 'f' and k.conindid = pg_constraint.conindid))
		and conrelid::regclass::text = any($1) order by contype = 'f', 1`); err != nil {
		return nil, nil, err
	}
	if indexes, err = read(`select pg_get_indexdef(i.indexrelid) from pg_index i where i.indrelid::regclass::text = any($1)
		and not exists (select from pg_constraint c where c.conindid = i.indexrelid) order by 1`); err != nil {
		return nil, nil, err
	}
	drop, err := read(`select format('alter table %s drop constraint %I', conrelid::regclass, conname) from pg_constraint where (contype = 'f' or contype in ('p', 'u')
			and not exists (select from pg_constraint k where k.contype = 'f' and k.conindid = pg_constraint.conindid)) and conrelid::regclass::text = any($1)
		union all select format('drop index %s', i.indexrelid::regclass) from pg_index i where i.indrelid::regclass::text = any($1)
		and not exists (select from pg_constraint c where c.conindid = i.indexrelid)`)
	if err != nil {
		return nil, nil, err
	}
	for _, sql := range drop {
		if _, err := owner.Exec(ctx, sql); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", sql, err)
		}
	}
	return indexes, keys, nil
}
