package app

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/bus"
	"hotline/internal/db"
)

// readKey reads the installation's secret key, making it at the first start. Tracking codes are derived from it, so a node with another
// key is refused (checkInstallation), and losing the file makes every code useless: operations.md says to back it up.
func readKey(path string) ([]byte, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails: crypto/rand ends the process instead
		_, err = f.WriteString(hex.EncodeToString(key) + "\n")
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("secret key %s can be read by others; run: chmod 600 %s", path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) < 32 {
		return nil, fmt.Errorf("secret key %s does not hold 32 bytes in hex; restore it from the backup, or remove it only if the database is new", path)
	}
	return key, nil
}

// checkInstallation makes this node part of the installation in the database, or refuses: another key, another file store, another bus.
func checkInstallation(ctx context.Context, pool *pgxpool.Pool, key []byte, storeID string) error {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("hotline installation"))
	check := hex.EncodeToString(mac.Sum(nil))
	var haveStore, haveKey string
	err := db.WithTx(ctx, pool, db.System(), func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, `insert into installation (id, store_id, key_check) values ($1, $2, $3) on conflict do nothing`, db.NewID(), storeID, check); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `select store_id, key_check from installation`).Scan(&haveStore, &haveKey)
	})
	if err != nil {
		return fmt.Errorf("installation: %w", err)
	}
	if !hmac.Equal([]byte(haveKey), []byte(check)) {
		return errors.New("this node's secret key is not the installation's: tracking codes would not match. Copy the key file of the other nodes, or name it in HOTLINE_KEY_FILE")
	}
	if haveStore != storeID {
		return errors.New("this node's file store is not the installation's: uploads would be missing on one of them. Mount the shared folder and name it in HOTLINE_FILES")
	}
	return nil
}

// Heartbeats: a node that has not been seen for nodeGone is taken as ended.
const (
	nodeBeat = 3 * time.Second
	nodeGone = 10 * time.Second
	nodeAsk  = 2 * time.Second
)

// joinNodes refuses to start beside a living node that the bus does not reach; otherwise it registers this one.
func joinNodes(ctx context.Context, pool *pgxpool.Pool, b *bus.Bus, id uuid.UUID, address string) error {
	if _, err := b.Answer("node."+id.String(), func([]byte) []byte { return []byte("here") }); err != nil {
		return err
	}
	type node struct {
		id      uuid.UUID
		address string
	}
	for deadline := time.Now().Add(nodeGone + nodeBeat); ; {
		var living []node
		err := db.WithTx(ctx, pool, db.System(), func(tx db.Tx) error {
			rows, err := tx.Query(ctx, `select id, address from nodes where seen_at > now() - make_interval(secs => $1)`, nodeGone.Seconds())
			if err != nil {
				return err
			}
			living, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (n node, err error) { return n, r.Scan(&n.id, &n.address) })
			return err
		})
		if err != nil {
			return fmt.Errorf("nodes: %w", err)
		}
		silent := ""
		for _, n := range living {
			askCtx, cancel := context.WithTimeout(ctx, nodeAsk)
			_, err := b.Ask(askCtx, "node."+n.id.String(), nil)
			cancel()
			if err != nil {
				silent = n.address
			}
		}
		if silent == "" {
			return beat(ctx, pool, id, address)
		}
		// It may have been killed a moment ago: wait until its heartbeat would be missed before refusing.
		if time.Now().After(deadline) {
			return fmt.Errorf("another node (%s) uses this database but not this bus: citizens on one would not see messages from the other at once. Give both the same HOTLINE_NATS_URL, or stop that node", silent)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func beat(ctx context.Context, pool *pgxpool.Pool, id uuid.UUID, address string) error {
	return db.WithTx(ctx, pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `insert into nodes (id, address) values ($1, $2) on conflict (id) do update set seen_at = now()`, id, address)
		return err
	})
}

// resumeJobs gives back the jobs that an ended node had in hand, so that they go on within moments; the queue itself would wait for their timeouts. A
// node that was only slow may then work on the same job as another: every job claims its rows, so nothing is done twice.
func resumeJobs(ctx context.Context, pool *pgxpool.Pool, self uuid.UUID) (n int64, err error) {
	err = db.WithTx(ctx, pool, db.System(), func(tx db.Tx) error {
		tag, err := tx.Exec(ctx, `update river_job set state = 'available', scheduled_at = now()
			where state = 'running' and attempt < max_attempts and attempted_at < now() - make_interval(secs => $1) and attempted_by[cardinality(attempted_by)] <> $2
			and not exists (select from nodes where id::text = attempted_by[cardinality(attempted_by)] and seen_at > now() - make_interval(secs => $1))`, nodeGone.Seconds(), self.String())
		n = tag.RowsAffected()
		return err
	})
	return n, err
}

func leaveNodes(ctx context.Context, pool *pgxpool.Pool, id uuid.UUID) error {
	return db.WithTx(ctx, pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `delete from nodes where id = $1 or seen_at < now() - interval '1 day'`, id)
		return err
	})
}

func forgetNodes(ctx context.Context, pool *pgxpool.Pool) error {
	return db.WithTx(ctx, pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `delete from nodes`)
		return err
	})
}
