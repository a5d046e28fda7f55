Scenario: An agent who does not answer is not rung again, and the caller keeps the place
  The telephone rings out. The agent becomes not ready, so that the next caller does not wait for an empty desk.

  Given a queue Support with the number +49301000
  And Support rings for 20 seconds
  And Anna serves Support
  And Bert serves Support
  When Carla calls +49301000
  Then Anna's telephone rings
  When 20 seconds pass
  Then Anna's telephone does not ring
  And Anna is not ready because of no_answer
  And Bert's telephone rings
  When Bert answers
  Then Carla and Bert hear each other
  And Support counts 1 offered, 1 answered, 0 abandoned, 0 moved on
