Scenario: Whoever misses a call stays ready, and the caller is offered to others first
  If nobody else comes, the same agent is asked again after a while, so that no caller waits beside somebody who is free.

  Given a queue Support with the number +49301000
  And Support rings for 20 seconds
  And Support passes over who misses a call, and asks again after 30 seconds
  And Anna serves Support
  And Bert serves Support
  When Carla calls +49301000
  And 20 seconds pass
  Then Bert's telephone rings
  And Anna is ready and idle
  When 20 seconds pass
  Then Bert's telephone does not ring
  And Anna's telephone does not ring
  When 10 seconds pass
  Then Anna's telephone rings
  When Anna answers
  Then Carla and Anna hear each other
