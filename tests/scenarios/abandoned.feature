Scenario: A caller who gives up is counted and rings nobody
  The telephone stops ringing when the caller leaves, and the agent is not blamed.

  Given a queue Support with the number +49301000
  And Anna serves Support
  When Carla calls +49301000
  And 6 seconds pass
  And Carla hangs up
  Then Anna's telephone does not ring
  And Anna is ready and idle
  And Support counts 1 offered, 0 answered, 1 abandoned, 0 moved on
