//! Surveys: how many customers were asked, how many answered, and how content they were.

use super::{figures, ratio, whole};

figures! {
    surveys_offered: "Surveys offered", Count, ALL, "customers who were asked how the talk was when the agent had ended it", |v| whole(v.interval.surveys_offered);
    surveys_answered: "Surveys answered", Count, ALL, "of the surveys offered, those with at least one score", |v| whole(v.interval.surveys_answered);
    survey_response_rate: "Survey response rate", Share, ALL, "surveys answered ÷ surveys offered", |v| ratio(v.interval.surveys_answered, v.interval.surveys_offered);
    survey_answers: "Scores", Count, ALL, "scores customers gave in surveys, booked with the queue and agent of the last talk before", |v| whole(v.interval.survey_answers);
    customer_satisfaction: "Customer satisfaction (CSAT)", Share, ALL, "scores in the top box ÷ scores; the top box is the best score, or the two best where there are five or more to choose from", |v| ratio(v.interval.survey_top, v.interval.survey_answers);
    average_score: "Average score", Share, ALL, "Σ (score − worst) ÷ (best − worst) over scores ÷ scores", |v| ratio(v.interval.survey_points, v.interval.survey_answers * 1_000);
}
