Scenario: A direct number rings its agent alone
  A number can lead to one agent; it counts for no queue.

  Given a queue Support with the number +49301000
  And Anna serves Support
  And Bert serves Support
  And the number +49302000 leads to Bert
  When Carla calls +49302000
  Then Bert's telephone rings
  And Anna's telephone does not ring
  And Carla hears the ringing tone
  When Bert answers
  Then Carla and Bert hear each other
  And Support counts 0 offered, 0 answered, 0 abandoned, 0 moved on
