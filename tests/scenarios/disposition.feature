Scenario: A queue wants to know what became of every conversation
  It can be said while talking or afterwards. Without it wrap-up does not end before the longest time the queue allows.

  Given a queue Billing with the number +49301000
  And Billing asks for paid or unpaid at the end, within 300 seconds
  And Anna serves Billing
  When Carla calls +49301000
  And Anna answers
  And Anna cannot note forgotten
  And Carla hangs up
  And Anna cannot finish wrap-up without a word
  Then Anna is in wrap-up
  When Anna finishes wrap-up with paid
  Then Anna is ready and idle
  When Dora calls +49301000
  And Anna answers
  And Anna notes unpaid
  And Dora hangs up
  And 299 seconds pass
  Then Anna is in wrap-up
  When 1 seconds pass
  Then Anna is ready and idle
