Scenario: Whoever needs longer for the notes takes it, once
  The queue says how much longer. Nobody is called meanwhile.

  Given a queue Support with the number +49301000
  And Support allows 30 seconds of wrap-up and 20 more
  And Anna serves Support
  When Carla calls +49301000
  And Anna answers
  And Carla hangs up
  And 10 seconds pass
  And Anna takes longer for wrap-up
  And Anna cannot take longer for wrap-up
  And 39 seconds pass
  Then Anna is in wrap-up
  When 1 seconds pass
  Then Anna is ready and idle
