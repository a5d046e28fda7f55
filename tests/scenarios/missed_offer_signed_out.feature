Scenario: Whoever misses a call is signed out of that queue and serves the others
  The queue's callers are not kept waiting by an agent who does not answer.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And Support rings for 20 seconds
  And Support signs out who misses a call
  And Anna serves Support and Sales
  When Carla calls +49301000
  And 20 seconds pass
  Then Anna is ready and idle
  And Anna's telephone does not ring
  When Dora calls +49302000
  Then Anna's telephone rings
