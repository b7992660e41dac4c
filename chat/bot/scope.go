package bot

// Scope is a field of matters that a hotline does not decide. The texts scope.<name>.reason, .basis and .channel say why, on what basis,
// and who does; cues "scope.<name>" recognise it.
type Scope string

// The fields (国办发〔2020〕53号).
const (
	Litigation      Scope = "litigation"
	Arbitration     Scope = "arbitration"
	Reconsideration Scope = "reconsideration"
	Discipline      Scope = "discipline"
	Petition        Scope = "petition"
	Secret          Scope = "secret"
)

// Scopes lists all fields, for the form, the console and the catalogue test.
func Scopes() []Scope {
	return []Scope{Litigation, Arbitration, Reconsideration, Discipline, Petition, Secret}
}

// RefusalOf gives the texts of a scope in a language, with the channel that the jurisdiction names when it names one.
func (p *Policy) RefusalOf(s Scope, lang string) Refusal {
	key := "scope." + string(s)
	r := Refusal{Scope: s, Reason: p.tx.t(lang, key+".reason"), Basis: p.tx.t(lang, key+".basis"), Channel: p.tx.t(lang, key+".channel")}
	if c := p.env().Channels[s][lang]; c != "" {
		r.Channel = c
	}
	return r
}

func (r *reading) scope() Scope { return Scope(r.suffixed("scope.")) }
