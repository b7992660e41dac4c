package tickets

import (
	_ "embed"
	"encoding/json"
	"slices"
)

//go:embed codes.json
var codesFile []byte

// Code is one entry of a list of reasons or outcomes, with its names by language.
type Code struct {
	Code string `json:"code"`
	EN   string `json:"en"`
	ZhCN string `json:"zh-CN"`
}

// Name returns the name in lang, English when there is none.
func (c Code) Name(lang string) string {
	if lang == "zh-CN" && c.ZhCN != "" {
		return c.ZhCN
	}
	return c.EN
}

var codeLists = func() map[string][]Code {
	m := map[string][]Code{}
	if err := json.Unmarshal(codesFile, &m); err != nil {
		panic("tickets: codes.json: " + err.Error()) // embedded: a broken file fails every test
	}
	return m
}()

// Reasons lists the reason codes that an action takes (refuse, request_return, request_transfer); empty when it takes any text.
func Reasons(a Action) []Code { return slices.Clone(codeLists[string(a)]) }

// Outcomes lists the outcome codes of a reply.
func Outcomes() []Code { return slices.Clone(codeLists["outcome"]) }

func known(list []Code, code string) bool {
	return slices.ContainsFunc(list, func(c Code) bool { return c.Code == code })
}
