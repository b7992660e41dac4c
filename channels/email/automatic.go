package email

import (
	"regexp"
	"slices"
	"strings"

	"hotline/channels"
)

// origin says what kind of mail it is. What no person wrote, or wrote to many, is never answered: two machines would never stop (RFC 3834, section 2).
type origin string

const (
	byPerson  origin = "person"
	automatic origin = "automatic" // an automatic reply, a mailing list, our own mail
	bounced   origin = "bounced"   // a mail server's report about a mail of ours
	spam      origin = "spam"      // as the mail server in front says
)

var (
	machines     = regexp.MustCompile(`(?i)^(mailer-daemon|postmaster|mail-?daemon|no-?_?reply|do-?not-?reply|donotreply|noreply-.*|bounces?[+-].*|bounces?)@`)
	autoSubject  = regexp.MustCompile(`(?i)^\s*(auto(matic)?[ -]?(re(ply|sponse))\b|out[ -]of[ -](the )?office|abwesenheit|automatische antwort|réponse automatique|自动回复|自動回覆|自动答复)`)
	bounceWords  = regexp.MustCompile(`(?i)(undeliver|delivery (status|failure|failed)|mail delivery|returned mail|failure notice|非递送|退信|无法投递|系统退信)`)
	ourIDInText  = regexp.MustCompile(`hotline\.([0-9a-fA-F-]{36})@`)
	listHeaders  = []string{"List-Id", "List-Post", "List-Unsubscribe", "List-Help", "Mailing-List"}
	robotHeaders = []string{"X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress", "X-Autoreply-From", "X-Mail-Autoreply", "X-Failed-Recipients"}
)

// kindOf sorts a mail.
func (a *Adapter) kindOf(l incoming) origin {
	h := l.header
	has := func(names []string) bool { return slices.ContainsFunc(names, func(n string) bool { return h.Has(n) }) }
	submitted, _, _ := strings.Cut(strings.ToLower(h.Get("Auto-Submitted")), ";")
	submitted = strings.TrimSpace(submitted)
	nobody := strings.ReplaceAll(h.Get("Return-Path"), " ", "") == "<>"
	switch {
	case l.report != nil && l.report.kind == "delivery-status":
		return bounced
	case l.report != nil: // receipts and the like
		return automatic
	case (nobody || machines.MatchString(l.from.Address)) && bounceWords.MatchString(l.subject):
		return bounced
	case strings.EqualFold(strings.TrimSpace(h.Get("X-Spam-Flag")), "yes"):
		return spam
	case submitted != "" && submitted != "no", nobody, machines.MatchString(l.from.Address), has(robotHeaders), has(listHeaders),
		slices.Contains([]string{"bulk", "list", "junk", "auto_reply"}, strings.ToLower(strings.TrimSpace(h.Get("Precedence")))),
		autoSubject.MatchString(l.subject), l.from.Address == a.from.Address:
		return automatic
	}
	return byPerson
}

// reportOf is what a mail server says about a mail of ours. ok is false for what is not about ours, and for a delay, which decides nothing.
func (a *Adapter) reportOf(l incoming, raw []byte) (r channels.Report, ok bool) {
	r = channels.Report{Channel: Name, Account: a.Account(), Failed: true, Reason: "the mail came back: it could not be delivered", Blames: channels.Doubt}
	if l.report == nil || l.report.kind != "delivery-status" {
		// Reports of older servers are plain text with the mail below.
		m := ourIDInText.FindSubmatch(raw)
		if m == nil {
			return r, false
		}
		r.Key = string(m[1])
		return r, true
	}
	if r.Key = a.keyOf(l.report.about); r.Key == "" {
		r.Key = l.report.envelope
	}
	if r.Key == "" {
		return r, false
	}
	switch l.report.action {
	case "delivered":
		r.Failed, r.Reason, r.Blames = false, "", ""
		return r, true
	case "failed":
	default:
		return r, false
	}
	switch s := l.report.status; {
	case s == "5.1.7" || s == "5.1.8": // RFC 3463, section 3.2: about the sender
		r.Reason, r.Blames = "the mail came back: the hotline's own address is not accepted; an administrator must look at HOTLINE_EMAIL_FROM", ""
	case strings.HasPrefix(s, "5.1."):
		r.Reason, r.Blames = "the mail came back: there is no such e-mail address", channels.Gone
	case s == "5.2.2" || s == "4.2.2":
		r.Reason, r.Blames = "the mail came back: the person's mailbox is full", ""
	case strings.HasPrefix(s, "5.7."):
		r.Reason = "the mail came back: the person's mail server does not take mail from the hotline"
	case strings.HasPrefix(s, "4."): // RFC 3463, section 2: what passes, given up after days
		r.Reason, r.Blames = "the mail came back: the person's mail server could not be reached in time", ""
	}
	return r, true
}

// keyOf is the Outbound.Key in a Message-ID of ours, "" for one of somebody else.
func (a *Adapter) keyOf(id string) string {
	local, domain, ok := strings.Cut(id, "@")
	key, ours := strings.CutPrefix(local, idPrefix)
	if !ok || !ours || !strings.EqualFold(domain, a.domain()) {
		return ""
	}
	return key
}
