Scenario: A blind transfer to a queue begins a new visit there
  The agent is free at once; both queues count the caller once.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And Anna serves Support
  And Bert serves Sales
  When Carla calls +49301000
  And Anna answers
  And Anna transfers to the queue Sales
  Then Carla waits in Sales
  And Anna is ready and idle
  And Bert's telephone rings
  When Bert answers
  Then Carla and Bert hear each other
  And Support counts 1 offered, 1 answered, 0 abandoned, 0 moved on
  And Sales counts 1 offered, 1 answered, 0 abandoned, 0 moved on
