Scenario: Whoever missed a call is ready again by itself
  Nobody is forgotten in "not ready" after a moment away from the desk.

  Given a queue Support with the number +49301000
  And Support rings for 20 seconds
  And Support lets who misses a call return after 120 seconds
  And Anna serves Support
  When Carla calls +49301000
  And 20 seconds pass
  Then Anna is not ready because of no_answer
  When 120 seconds pass
  Then Anna's telephone rings
