package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/tickets/sla"
	"hotline/web/httperr"
)

// One policy of a set: its clocks, limits and which tickets it is for.

type policyData struct {
	settingBar
	P          sla.Policy
	New        bool
	Warn       int
	Clocks     []clockField
	Kinds      []string
	Urgencies  []string
	Categories []option
	Units      []sla.Unit
}

// clockField is a clock as a line of the form.
type clockField struct {
	Name      sla.ClockName
	Span      sla.Span
	Set       bool
	Inherited string // what holds when the line is left empty
}

func (c *Console) policy(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	s, err := c.Tickets.Setting(r.Context(), c.admin(v), tickets.SettingPolicies, r.PathValue("code"))
	if err != nil {
		return err
	}
	set, err := s.Set()
	if err != nil {
		return err
	}
	want := r.URL.Query().Get("policy")
	p := sla.Policy{Clocks: map[sla.ClockName]sla.Span{}}
	if want != "" {
		i := slices.IndexFunc(set.Policies, func(p sla.Policy) bool { return p.Code == want })
		if i < 0 {
			return tickets.ErrUnknownSetting
		}
		p = set.Policies[i]
	}
	return c.showPolicy(w, r, v, s, set, p, want == "", nil)
}

func (c *Console) showPolicy(w http.ResponseWriter, r *http.Request, v View, s tickets.Setting, set sla.Set, p sla.Policy, fresh bool, problem error) error {
	d := &policyData{settingBar: c.bar(r, v, s), P: p, New: fresh, Warn: wholePercent(p.WarnFraction), Kinds: tickets.Kinds(), Urgencies: tickets.Urgencies(), Units: sla.Units()}
	status := http.StatusOK
	if problem != nil {
		d.Error, d.Field, status = v.problem(problem), fieldOf(problem), httperr.Status(errs.KindOf(problem))
	}
	others := slices.DeleteFunc(slices.Clone(set.Policies), func(o sla.Policy) bool { return o.Code == p.Code })
	base, ok := sla.Choose(others, p.Kind, p.Category, p.Urgency)
	for _, name := range sla.ClockNames() {
		f := clockField{Name: name, Inherited: v.T("policies.not_set")}
		f.Span, f.Set = p.Clocks[name]
		if span, has := base.Clocks[name]; ok && has {
			f.Inherited = v.SpanWords(span)
		}
		d.Clocks = append(d.Clocks, f)
	}
	d.Categories = c.categoryOptions(v.Lang)
	v.Nav, v.Title, v.D = "policies", v.T("policies.policy"), d
	c.page(w, r, status, "policy", v)
	return nil
}

// categoryOptions lists the categories as a tree.
func (c *Console) categoryOptions(lang string) []option {
	var out []option
	all := c.Routing.Snapshot().Categories()
	var walk func(parent string, depth int)
	walk = func(parent string, depth int) {
		for _, k := range all {
			if k.Active && k.Parent == parent && depth < 4 {
				out = append(out, option{Value: k.Code, Name: k.Names.In(lang), Depth: depth})
				walk(k.Code, depth+1)
			}
		}
	}
	walk("", 0)
	return out
}

func readPolicy(r *http.Request) sla.Policy {
	q := r.PostForm
	p := sla.Policy{Code: clean(q.Get("policy"), 60), Source: clean(q.Get("source"), 500), Kind: q.Get("kind"), Category: q.Get("category"), Urgency: q.Get("urgency"),
		WarnFraction: float64(number(q.Get("warn"))) / 100, Clocks: map[sla.ClockName]sla.Span{}}
	for _, name := range sla.ClockNames() {
		text := strings.TrimSpace(q.Get("n_" + string(name)))
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			n = 0 // refused, with the clock's name
		}
		p.Clocks[name] = sla.Span{N: n, Unit: sla.Unit(q.Get("unit_" + string(name))), Roll: q.Get("roll_"+string(name)) != ""}
	}
	return p
}

func (c *Console) policySave(w http.ResponseWriter, r *http.Request) error {
	code := r.PathValue("code")
	var p sla.Policy
	fresh := false
	return changeSetting(c, tickets.SettingPolicies, w, r, tickets.Setting.Set, func(_ View, set *sla.Set) error {
		p = readPolicy(r)
		was := r.PostForm.Get("was")
		fresh = was == ""
		if i := slices.IndexFunc(set.Policies, func(o sla.Policy) bool { return o.Code == was }); !fresh && i >= 0 {
			set.Policies = slices.Clone(set.Policies)
			set.Policies[i] = p
		} else {
			set.Policies = append(slices.Clone(set.Policies), p)
		}
		return nil
	}, func(v View, now tickets.Setting, set sla.Set, err error) error {
		return c.showPolicy(w, r, v, now, set, p, fresh, err)
	}, settingURL(tickets.SettingPolicies, code, "")+"?saved=draft")
}

func (c *Console) policyRemove(w http.ResponseWriter, r *http.Request) error {
	code := r.PathValue("code")
	return changeSetting(c, tickets.SettingPolicies, w, r, tickets.Setting.Set, func(_ View, set *sla.Set) error {
		set.Policies = slices.DeleteFunc(slices.Clone(set.Policies), func(p sla.Policy) bool { return p.Code == r.PostForm.Get("was") })
		return nil
	}, func(v View, now tickets.Setting, _ sla.Set, err error) error {
		set, readErr := now.Set() // with the policy that has to stay
		if readErr != nil {
			return readErr
		}
		return c.showPolicySet(w, r, v, now, set, err)
	}, settingURL(tickets.SettingPolicies, code, "")+"?saved=draft")
}

// policyAgency lets an agency work by these policies, or by those of the agency above it again.
