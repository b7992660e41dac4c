package api

import (
	"net/http"
	"testing"

	"hotline/internal/auth"
	"hotline/tickets"
)

func TestDuplicatesOfATicket(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first, second := r.filed(1), r.filed(2)
	hotline, env, utl := "Bearer "+r.key("hotline", auth.ScopeTicketsRead, auth.ScopeTicketsAct), "Bearer "+r.key("dept-environment", auth.ScopeTicketsRead), "Bearer "+r.key("dept-utilities", auth.ScopeTicketsRead)
	type body struct {
		Duplicates []LikelyDuplicate
		MassEvents []OpenMassEvent `json:"mass_events"`
	}
	path := "/tickets/" + first.Number + "/duplicates"
	for name, key := range map[string]string{"the hotline": hotline, "the lead of both": env} {
		got := decode[body](r.send("GET", path, nil, "Authorization", key).is(http.StatusOK))
		if len(got.Duplicates) != 1 || got.Duplicates[0].Number != second.Number || got.Duplicates[0].Score < .35 || len(got.Duplicates[0].Reasons) == 0 || !got.Duplicates[0].Open || got.MassEvents == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	r.send("GET", path, nil, "Authorization", utl).problem(http.StatusNotFound, "tickets.not_found")
	r.send("GET", path, nil).problem(http.StatusUnauthorized, "api.key_needed")
	// Merged as the list says: it stands no longer beside its parent.
	k := decode[TicketDetail](r.send("GET", "/tickets/"+first.Number, nil, "Authorization", hotline).is(http.StatusOK))
	r.send("POST", "/tickets/"+first.Number+"/actions/"+string(tickets.Merge), map[string]any{"version": k.Version, "parent": second.Number}, "Authorization", hotline, "Idempotency-Key", "merge-1").is(http.StatusOK)
	if got := decode[body](r.send("GET", "/tickets/"+second.Number+"/duplicates", nil, "Authorization", hotline).is(http.StatusOK)); len(got.Duplicates) != 0 {
		t.Errorf("%+v", got)
	}
}
