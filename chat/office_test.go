package chat_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/jobs"
	"hotline/internal/testkit"
	"hotline/tickets"
)

// office is a post office: a vendor of each channel on which contacts can allow to be written to, and a messenger.
type office struct {
	*rig
	t                *testing.T
	mail, sms, pager *vendor
	owner            *pgxpool.Pool
}

type namedVendor struct {
	*vendor
	name string
}

func (n namedVendor) Name() string { return n.name }

func newOffice(t *testing.T, vendors ...string) *office {
	t.Helper()
	o := &office{t: t, mail: &vendor{}, sms: &vendor{}, pager: &vendor{}}
	if len(vendors) == 0 {
		vendors = []string{"email", "sms", "telegram"}
	}
	var all []channels.Adapter
	for _, name := range vendors {
		all = append(all, namedVendor{map[string]*vendor{"email": o.mail, "sms": o.sms, "telegram": o.pager}[name], name})
	}
	reg, err := channels.NewRegistry(all...)
	if err != nil {
		t.Fatal(err)
	}
	o.rig = newRig(t, func(d *chat.Deps) {
		d.Channels = reg
		d.Options.BaseURL, d.Options.CallingCode = "https://hotline.example", "86"
		d.Options.Sender = func(lang string) string {
			return map[string]string{"en": "Lanting 12345", "zh-CN": "兰汀12345"}[lang]
		}
		if d.Jobs, err = jobs.NewInserter(d.Pool, silent()); err != nil {
			t.Fatal(err)
		}
	})
	o.tickets.OnReach(o.ReachesTx)
	o.owner = testkit.OwnerPool(t, o.pool)
	return o
}

// carry sends everything that is to be sent, as the workers would, waiting where they would wait.
func (o *office) carry() {
	o.t.Helper()
	for range 50 {
		rows, err := o.owner.Query(ctxb, `select distinct on (conversation_id) conversation_id, max(seq) over (partition by conversation_id) from deliveries where state = 'pending'`)
		if err != nil {
			o.t.Fatal(err)
		}
		open := map[uuid.UUID]int64{}
		var id uuid.UUID
		var seq int64
		for rows.Next() {
			if err := rows.Scan(&id, &seq); err != nil {
				o.t.Fatal(err)
			}
			open[id] = seq
		}
		if len(open) == 0 {
			return
		}
		for id, seq := range open {
			wait, err := o.Deliver(ctxb, id, seq)
			if err != nil {
				o.t.Fatal(err)
			}
			if wait > 0 {
				o.clock.Advance(wait)
			}
		}
	}
	o.t.Fatal("the deliveries do not end")
}

// last is the newest message of a vendor, and forgets all.
func (o *office) last(v *vendor) channels.Outbound {
	o.t.Helper()
	o.carry()
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.sent) == 0 {
		o.t.Fatal("nothing was sent")
	}
	out := v.sent[len(v.sent)-1]
	v.sent = nil
	return out
}

func (o *office) silent(what string, vs ...*vendor) {
	o.t.Helper()
	o.carry()
	for _, v := range vs {
		if got := v.texts(); len(got) > 0 {
			o.t.Errorf("%s: sent %q", what, got)
			v.sent = nil
		}
	}
}

var bothAllowed = []string{"email", "sms"}

func (o *office) filed(edit ...func(*chat.Filing)) tickets.Ticket {
	o.t.Helper()
	f := filing(uuid.NewString())
	f.Channel, f.Account = channels.Portal, "form"
	f.Contact = channels.Contact{Name: "Ann", Email: "Ann@citizen.example"}
	f.Allows = bothAllowed
	f.Draft.Confidential, f.Draft.Kind, f.Lang, f.Draft.Lang = false, "complaint", "en", "en"
	f.Draft.Title = "Drilling at night"
	for _, fn := range edit {
		fn(&f)
	}
	got, err := o.FileTicket(ctxb, f)
	if err != nil {
		o.t.Fatal(err)
	}
	return got.Ticket
}

func byPhone(f *chat.Filing) {
	f.Channel, f.Contact = channels.Phone, channels.Contact{Name: "Bo", Phone: "138 0000 1111"}
}

func (o *office) staff(user, role string) tickets.Actor {
	return tickets.Staff(o.city.Staff(user), []string{role})
}

func (o *office) move(k tickets.Ticket, user, role string, a tickets.Action, f tickets.Fields) tickets.Ticket {
	o.t.Helper()
	k, err := o.tickets.Apply(ctxb, o.staff(user, role), k.ID, tickets.AnyVersion, a, f, "")
	if err != nil {
		o.t.Fatalf("%s: %v", a, err)
	}
	return k
}

func (o *office) inProgress(k tickets.Ticket) tickets.Ticket {
	o.t.Helper()
	if k.State == tickets.PendingDispatch {
		k = o.move(k, "dispatcher", "dispatcher", tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-environment"]})
	}
	return o.move(k, o.handler(k), "handler", tickets.Sign, tickets.Fields{})
}

func (o *office) handler(k tickets.Ticket) string {
	if k.Confidential {
		return "cleared-env"
	}
	return "handler-env"
}

func (o *office) replied(k tickets.Ticket) tickets.Ticket {
	o.t.Helper()
	yes := true
	return o.move(o.inProgress(k), o.handler(k), "handler", tickets.Reply, tickets.Fields{Text: "It is quiet now.", Outcome: "resolved", Resolved: &yes})
}

// asked is a ticket whose citizen is asked in the revisit.
func (o *office) asked(k tickets.Ticket) tickets.Ticket {
	o.t.Helper()
	k = o.move(o.replied(k), "operator", "operator", tickets.Complete, tickets.Fields{})
	o.carry()
	o.mail.sent, o.sms.sent, o.pager.sent = nil, nil, nil
	o.clock.Advance(96 * time.Hour)
	if _, err := o.tickets.Sweep(ctxb, o.clock.Now(), 50); err != nil {
		o.t.Fatal(err)
	}
	return o.again(k)
}

func (o *office) again(k tickets.Ticket) tickets.Ticket {
	o.t.Helper()
	k, err := o.tickets.ByID(ctxb, tickets.System(), k.ID)
	if err != nil {
		o.t.Fatal(err)
	}
	return k
}

func (o *office) calls() []tickets.Call {
	o.t.Helper()
	list, _, err := o.tickets.CallList(ctxb, o.staff("operator", "operator"), "", 10)
	if err != nil {
		o.t.Fatal(err)
	}
	return list
}

func wants(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, one := range all {
		if !strings.Contains(text, one) {
			t.Errorf("%q lacks %q", text, one)
		}
	}
}

func linkIn(t *testing.T, text, path string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "https://hotline.example"+path)
	if !ok {
		t.Fatalf("no link to %s in %q", path, text)
	}
	token, _, _ := strings.Cut(rest, "\n")
	token, _, _ = strings.Cut(token, " ")
	return token
}
