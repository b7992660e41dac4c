package past

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed words.json
var wordsFile []byte

type text map[string]string
type texts map[string][]string

// event is something that many report.
type event struct {
	Title   text  `json:"title"`
	Reports texts `json:"reports"`
	Told    text  `json:"told"`
}

// words are what people of the past wrote, beside the examples of the categories.
type words struct {
	Places map[string]struct {
		En  string  `json:"en"`
		Zh  string  `json:"zh-CN"`
		Lat float64 `json:"lat"`
		Lon float64 `json:"lon"`
	} `json:"places"`
	People      []text           `json:"people"`
	Details     texts            `json:"details"`
	Replies     map[string]texts `json:"replies"` // by outcome
	Questions   texts            `json:"questions"`
	Answers     texts            `json:"answers"`
	Words       texts            `json:"words"`
	Helped      texts            `json:"helped"`
	ReturnBasis []string         `json:"return_basis"` // what staff write to each other: English, Chinese
	Extension   []string         `json:"extension"`
	SentBack    []string         `json:"sent_back"`
	NotSolved   texts            `json:"not_solved"`
	Solved      texts            `json:"solved"`
	Rectified   texts            `json:"rectified"`
	Order       []string         `json:"order"`
	Exclusion   []string         `json:"exclusion"`
	Outage      event            `json:"outage"`
	Smell       event            `json:"smell"`
	Chats       struct {
		Unknown texts `json:"unknown"` // what no article answers
		Staff   texts `json:"staff"`
		Thanks  texts `json:"thanks"`
		Grades  texts `json:"grades"` // the words of the buttons, from 1 to 5
	} `json:"chats"`
	Tags   text `json:"tags"` // by the beginning of a category
	Macros []struct {
		Names  text   `json:"names"`
		Texts  text   `json:"texts"`
		Mode   string `json:"mode"`
		Tag    string `json:"tag"`
		Assign string `json:"assign"`
		Note   string `json:"note"`
		Watch  bool   `json:"watch"`
	} `json:"macros"`
	Filter  string   `json:"filter"`
	Mention string   `json:"mention"`
	Dark    texts    `json:"dark"`
	Flag    []string `json:"flag"`
	Appeal  []string `json:"appeal"`
	Fence   text     `json:"fence"`
}

func readWords() (w words, err error) {
	if err := json.Unmarshal(wordsFile, &w); err != nil {
		return w, fmt.Errorf("the demo's past: words.json: %w", err)
	}
	return w, nil
}

// streets are the codes of the places, in a fixed order.
var streets = []string{"qingyun", "yingchun", "cuihu", "lianhua", "songlin", "shiqiao", "yugang", "haibin"}

// among gives what staff write in the language of a case.
func among(pair []string, lang string) string {
	if lang == "en" {
		return pair[0]
	}
	return pair[1]
}
