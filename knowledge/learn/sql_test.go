package learn

import (
	"testing"

	"hotline/internal/testkit"
)

// Every statement is prepared against the real schema.
func TestStatementsFitTheSchema(t *testing.T) {
	t.Parallel()
	conn, err := testkit.DB(t).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, sql := range []string{sqlNew, sqlPlace, sqlBegin, sqlRecount, sqlKnown, sqlTexts, sqlDecided, sqlNewest, sqlStale, sqlChecked, sqlAnswers, sqlFixed,
		sqlGaps, sqlTrend, sqlGap, sqlLock, sqlCounts, sqlExamples, sqlSetGap, sqlMergeGap, sqlMoveGap, sqlAssignGap, sqlAssignTold, sqlKnownAgency, sqlPair,
		sqlPairs, sqlPairSeen, sqlPairActive, sqlPairDelete, sqlPairLines, sqlArticleLines, sqlPropose, sqlProposals, sqlProposal, sqlProposalLock, sqlProposalSet, sqlGrade,
		sqlTrialPairs, sqlTrialRecent, sqlHasTrials, sqlPublishCheck, sqlWeekQuestions, sqlWeekChats, sqlWeekWrong, sqlWeekOpened, sqlWeekClosed, sqlKeep, sqlSettings, sqlSaveSettings,
		sqlBehind(AllQuestions), sqlBehind(Covered), sqlBehind(Unanswered), sqlBehind(Helpful), sqlBehind(Useless), sqlBehind(HandedOver)} {
		if _, err := conn.Conn().Prepare(t.Context(), "", sql); err != nil {
			t.Errorf("%v\n%s", err, sql)
		}
	}
}
