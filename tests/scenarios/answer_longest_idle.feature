Scenario: The agent who has been idle longest takes the call
  A caller reaches the queue; of two idle agents the one who has waited longer for work is rung.

  Given a queue Support with the number +49301000
  And Anna serves Support
  And Bert serves Support
  When Carla calls +49301000
  Then Anna's telephone rings
  And Bert's telephone does not ring
  And Carla waits in Support
  And Carla hears music
  When Anna answers
  Then Carla and Anna hear each other
  When 60 seconds pass
  And Carla hangs up
  Then Carla has left
  And Anna is ready and idle
  And Support counts 1 offered, 1 answered, 0 abandoned, 0 moved on
  When Dora calls +49301000
  Then Bert's telephone rings
