Scenario: Only who misses several calls in a row becomes not ready
  One miss may happen to anybody; two in a row mean that nobody is at the desk.

  Given a queue Support with the number +49301000
  And Support rings for 20 seconds
  And Support makes nobody not ready before 2 misses in a row
  And Anna serves Support
  When Carla calls +49301000
  And 20 seconds pass
  Then Anna is ready and idle
  When 5 seconds pass
  Then Anna's telephone rings
  When 20 seconds pass
  Then Anna is not ready because of no_answer
