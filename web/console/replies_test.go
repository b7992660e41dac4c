package console_test

import (
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"github.com/google/uuid"

	"hotline/chat"
	"hotline/tickets"
)

// What a ticket does not know stands as a gap in a reply, and a reply with a gap does not go out.
func TestAReplyWithAGapIsNotSent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.tickets.SaveMacro(t.Context(), r.as("head-env"), tickets.Macro{Names: map[string]string{"en": "Visit", "zh-CN": "上门"}, Active: true, Mode: "message",
		Texts: map[string]string{"en": "We come to {{place}} by {{due}}.", "zh-CN": "我们将于{{due}}前到{{place}}核实。"}})
	must(t, err)
	k := r.file("complaint", "夜间施工噪音", "工地每天夜里两点还在施工。", "environment.noise", func(f *chat.Filing) { f.Lang, f.Draft.Lang = "zh-CN", "zh-CN" })
	k = r.led(k)
	k = r.apply("handler-env", k, tickets.Sign, tickets.Fields{})
	b := r.signIn("handler-env")
	path := "/console/tickets/" + k.ID.String()
	// The reader's console is English, the citizen's words are Chinese: dates too.
	page := b.get(path)
	page.wants(t, http.StatusOK, "到⟦地点⟧核实", "月")
	page.lacks(t, "我们将于11 March", "March 2026前")
	send := url.Values{"mode": {"message"}, "text": {"我们明天到⟦地点⟧核实。"}, "version": {strconv.Itoa(k.Version)}, "key": {"g1"}}
	b.post(path+"/compose", send).wants(t, http.StatusBadRequest, "Fill in “地点” first", "我们明天到⟦地点⟧核实。")
	send.Set("text", "我们明天到石桥路12号核实。")
	b.post(path+"/compose", send).wants(t, http.StatusOK, "我们明天到石桥路12号核实。")
	// A note is for colleagues: it may say what is not known.
	b.post(path+"/compose", url.Values{"mode": {"note"}, "text": {"⟦地点⟧待核实"}, "version": {"0"}, "key": {"g2"}}).wants(t, http.StatusOK, "⟦地点⟧待核实")
}

// led is a case with the environment department, whether routing sent it there or a dispatcher.
func (r *rig) led(k tickets.Ticket) tickets.Ticket {
	r.t.Helper()
	if k.State == tickets.PendingDispatch {
		k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	}
	return k
}

// Where nothing can be written to the citizen, replies for citizens are not offered.
func TestACoAgencyIsOfferedNoRepliesForCitizens(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.file("complaint", "Drilling at night", "The site drills every night, we cannot sleep.", "environment.noise")
	k = r.led(k)
	r.apply("dispatcher", k, tickets.AddCo, tickets.Fields{Co: []uuid.UUID{r.city.Agencies["dept-utilities"]}})
	path := "/console/tickets/" + k.ID.String()
	r.signIn("handler-util").get(path).wants(t, http.StatusOK, "Internal note").lacks(t, "We have your request")
	r.apply("handler-env", r.ticket(k.ID), tickets.Sign, tickets.Fields{})
	r.signIn("handler-env").get(path).wants(t, http.StatusOK, "We have your request")
}

// Who answers before everybody asked to help has replied sees who is missing, and says why it does not wait.
func TestTheAnswerSaysWhomItDoesNotWaitFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.led(r.file("complaint", "Drilling at night", "The site drills every night, we cannot sleep.", "environment.noise"))
	r.apply("dispatcher", k, tickets.AddCo, tickets.Fields{Co: []uuid.UUID{r.city.Agencies["dept-utilities"]}})
	k = r.apply("handler-env", r.ticket(k.ID), tickets.Sign, tickets.Fields{})
	path, env := "/console/tickets/"+k.ID.String(), r.signIn("handler-env")
	env.get(path).wants(t, http.StatusOK, "A co-agency has not replied yet", "Why the answer does not wait")
	form := url.Values{"mode": {"reply"}, "version": {itoa(k.Version)}, "key": {uuid.NewString()}, "text": {"The site has stopped."}, "outcome": {"resolved"}, "resolved": {"yes"}}
	env.post(path+"/compose", form).wants(t, http.StatusConflict, "Wait for them, or say why", "The site has stopped.")
	form.Set("over", "They measure only next week.")
	env.post(path+"/compose", form).wants(t, http.StatusOK)
	env.get(path).wants(t, http.StatusOK, "answered without waiting for co-agencies", "They measure only next week.", "ended unfinished").lacks(t, "Why the answer does not wait")
}
