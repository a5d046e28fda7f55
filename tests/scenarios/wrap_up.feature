Scenario: Wrap-up ends by itself, or earlier with a code
  No call comes meanwhile.

  Given a queue Support with the number +49301000
  And Support allows 30 seconds of wrap-up
  And Anna serves Support
  When Carla calls +49301000
  And Anna answers
  And Carla hangs up
  Then Anna is in wrap-up
  When Dora calls +49301000
  Then Anna's telephone does not ring
  When 30 seconds pass
  Then Anna's telephone rings
  When Anna answers
  And Dora hangs up
  And Anna finishes wrap-up with solved
  Then Anna is ready and idle
