package portal

import (
	"net/http"
	"strings"
	"testing"

	"hotline/internal/decision"
)

var rentForm = parsed(`question landlord: Do you rent from a private landlord?
  why: The subsidy is for homes on the open market.
  yes -> income because you rent on the open market
  no -> refused
question income: What is your monthly income per person?
  number: 0 to 100,000 yuan
  up to 2,400 -> granted because the income is at most 2,400 yuan
  over 2,400 -> refused
  not sure -> office
outcome granted: You can get the subsidy.
  Apply **in the app**. <script>alert(1)</script>
outcome refused: You cannot get the subsidy.
outcome office: The office works it out with you.
`)

var rentFormChinese = parsed(`问题 landlord：您是在市场上租私人的房子吗？
  为什么：补贴只给在市场上租房的家庭。
  是 → income 因为您在市场上租房
  否 → refused
问题 income：您家每人每月收入多少元？
  数字：0到100000元
  2400元以下 → granted 因为人均月收入不超过2400元
  超过2400元 → refused
  不清楚 → office
结果 granted：您可以领补贴。
  请在App里申请。
结果 refused：您不能领补贴。
结果 office：请窗口帮您算一算。
`)

func parsed(source string) *decision.Form {
	f, problems := decision.Parse(source)
	if len(problems) > 0 {
		panic(problems)
	}
	return f
}

// The form is walked a question per page, without JavaScript, and keeps nothing.
func TestWhetherAnArticleApplies(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const path = "/a/rent-subsidy/check"
	s.get("/a/rent-subsidy").sees(t, `href="/a/rent-subsidy/check"`, "At most 2 questions")
	s.get(path).sees(t, "Do you rent from a private landlord?", "Why do we ask?", "open market", "at most 2 questions")
	if a := s.post(path, "asked", "0").sees(t, "Choose an answer.", `href="#answer-0"`); a.status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", a.status)
	}
	s.post(path, "asked", "0", "answer", "yes").at(t, path).sees(t, "What is your monthly income per person?", `name="a0" value="yes"`, `inputmode="numeric" value=""`, "last question", "I don&#39;t know")
	s.post(path, "a0", "yes", "asked", "1", "answer", "lots").sees(t, "Enter a number from 0 to 100000.", `value="lots"`, `name="a0" value="yes"`)
	done := s.post(path, "a0", "yes", "asked", "1", "answer", "2,000").sees(t, "You can get the subsidy.", "<strong>in the app</strong>",
		"Because you rent on the open market and the income is at most 2,400 yuan.", "version 2", "2000 yuan", `name="again" value="1"`)
	if strings.Contains(done.body, "<script>alert") {
		t.Error("an outcome brings a script along")
	}
	s.post(path, "a0", "yes", "a1", "2000", "again", "0").sees(t, "Do you rent from a private landlord?")
	s.post(path, "a0", "yes", "asked", "1", "unsure", "1").sees(t, "The office works it out with you.")
	s.post(path, "a0", "no", "a1", "2000", "a7", "x", "asked", "99", "again", "-3").sees(t, "You cannot get the subsidy.")
	s.get(path+"?lang=zh-CN").at(t, "/a/zufang/check").sees(t, "您是在市场上租私人的房子吗？")
	if a := s.get("/a/nothing/check"); a.status != http.StatusNotFound {
		t.Errorf("status %d", a.status)
	}
}
