Scenario: Nobody waits longer than the queue allows
  After the longest wait the conversation ends and counts as moved on, not as abandoned.

  Given a queue Support with the number +49301000
  And Support lets nobody wait longer than 60 seconds
  When Carla calls +49301000
  And 60 seconds pass
  Then Carla has left
  And Support counts 1 offered, 0 answered, 0 abandoned, 1 moved on
