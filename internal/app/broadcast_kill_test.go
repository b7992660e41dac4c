package app_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/channels/email/emailtest"
	"hotline/internal/db"
	"hotline/internal/db/privatepg"
	"hotline/internal/testkit"
)

// TestABroadcastThatIsKilledTellsEverybodyOnce kills the server again and again while hundreds of reporters are told by mail and on their pages, and counts:
// each history has the news once, nobody has two mails, and whoever has none is one whose delivery staff see as uncertain.
func TestABroadcastThatIsKilledTellsEverybodyOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a server for some time")
	}
	t.Parallel()
	const mailed, silent, maxKills = 300, 100, 5
	server := emailtest.NewSMTP(t, emailtest.Options{Plain: true, Pace: 40 * time.Millisecond})
	mail := []string{"HOTLINE_EMAIL_FROM=Lanting Hotline <hotline@lanting.example>", "HOTLINE_SMTP_URL=smtp://" + server.Addr + "?tls=no"}
	dir, addr := testkit.DataFolder(t), freeAddress(t)
	node := spawn(t, dir, addr, mail...)
	url, ok := privatepg.Running(dir)
	if !ok {
		t.Fatal("the node runs without its database")
	}
	pool, err := db.Open(t.Context(), url, 4)
	if err != nil {
		t.Fatal(err)
	}
	parent, broadcast := uuid.New(), uuid.New()
	fill := strings.NewReplacer("{parent}", parent.String(), "{broadcast}", broadcast.String(), "{mailed}", strconv.Itoa(mailed), "{all}", strconv.Itoa(mailed+silent))
	err = db.WithTx(t.Context(), pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(t.Context(), fill.Replace(`
			create temp table r on commit drop as select case i when 0 then '{parent}'::uuid else gen_random_uuid() end as id, gen_random_uuid() as conv, gen_random_uuid() as who, i from generate_series(0, {all}) i;
			insert into contacts (id, name, email, lang, allows, allows_via, allows_at)
				select who, 'Somebody', 'p' || i || '@citizen.example', 'en', case when i between 1 and {mailed} then '{email}'::text[] else '{}' end, 'portal', now() from r;
			insert into conversations (id, channel, account, thread, lang, holder, contact_id) select conv, 'portal', 'form', conv::text, 'en', 'none', who from r;
			insert into tickets (id, number, code_hash, kind, title, description, lang, channel, conversation_id, contact_id, state, parent_id)
				select id, '2027-' || lpad(i::text, 6, '0'), sha256(id::text::bytea), 'complaint', 'No water', 'No water', 'en', 'portal', conv, who,
					case when i = 0 then 'in_progress' else 'merged' end, case when i > 0 then '{parent}'::uuid end from r order by i;
			insert into ticket_search (ticket_id, words) select id, '' from r;
			insert into broadcasts (id, ticket_id, seq, type, text, outcome, created_at) values ('{broadcast}', '{parent}', 1, 'update', 'Water is back at six.', '', now());
			insert into broadcast_reporters (broadcast_id, ticket_id) select '{broadcast}', id from r where i > 0`))
		return err
	})
	pool.Close()
	if err != nil {
		t.Fatal(err)
	}
	count := func(sql string, args ...any) (n int) {
		t.Helper()
		url, ok := privatepg.Running(dir)
		if !ok {
			t.Fatal("the node runs without its database")
		}
		pool, err := db.Open(t.Context(), url, 2)
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		if err := db.ReadTx(t.Context(), pool, db.System(), func(tx db.Tx) error { return tx.QueryRow(t.Context(), sql, args...).Scan(&n) }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	begun := time.Now()
	kills, among, inHand := 0, 0, 0
	began := begun
	for kills < maxKills {
		wait(t.Context(), rand.N(500*time.Millisecond))
		// Most kills shall fall where this node has mails in hand.
		mine := func() int {
			return count(`select count(*) from deliveries where state = 'pending' and claimed_until > now() and updated_at > $1`, began)
		}
		for until := time.Now().Add(5 * time.Second); time.Now().Before(until) && mine() < 8; {
			wait(t.Context(), wait20ms)
		}
		inHand += mine()
		open := count(`select count(*) from broadcast_reporters where state = 'pending'`) + count(`select count(*) from deliveries where state = 'pending'`)
		node.kill()
		kills++
		began = time.Now()
		node = spawn(t, dir, addr, mail...)
		if open > 0 {
			among++
		}
	}
	// A delivery that a killed node had in hand goes on when its heartbeat is missed (10 s) and its claim has ended (45 s).
	for deadline := time.Now().Add(3 * time.Minute); ; {
		open := count(`select count(*) from broadcast_reporters where state = 'pending'`) + count(`select count(*) from deliveries where state = 'pending'`)
		if open == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d are still to be told", open)
		}
		wait(t.Context(), 200*time.Millisecond)
	}
	took := time.Since(begun)
	if among == 0 {
		t.Error("no kill fell into the broadcast")
	}
	if n := count(`select count(*) from ticket_events where type = 'parent_update'`); n != mailed+silent {
		t.Errorf("%d entries for %d reporters", n, mailed+silent)
	}
	if n := count(`select count(distinct ticket_id) from messages where text like '%Water is back%'`); n != mailed+silent {
		t.Errorf("%d reporters have it on their page", n)
	}
	each := map[string]int{}
	for _, m := range server.Mails() {
		each[strings.ToLower(m.To)]++
	}
	doubled, missing := 0, 0
	for i := 1; i <= mailed; i++ {
		switch each[fmt.Sprintf("p%d@citizen.example", i)] {
		case 0:
			missing++
		case 1:
		default:
			doubled++
		}
	}
	uncertain := count(`select count(*) from deliveries where state = 'unknown'`)
	if doubled > 0 || missing > uncertain || len(each) > mailed {
		t.Errorf("%d people got two mails, %d none of whom staff see %d as uncertain, %d addresses", doubled, missing, uncertain, len(each))
	}
	if uncertain > kills*16 { // workers of a node
		t.Errorf("%d deliveries are uncertain after %d kills", uncertain, kills)
	}
	if n := count(`select count(*) from deliveries where state not in ('sent', 'delivered', 'unknown')`); n > 0 {
		t.Errorf("%d deliveries failed", n)
	}
	t.Logf("%d reporters, %d kills of which %d while telling, with %d mails in hand, all told after %s; %d deliveries uncertain, %d of them without a mail", mailed+silent, kills, among, inHand, took.Round(time.Millisecond), uncertain, missing)
	node.kill()
}
