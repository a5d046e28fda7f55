Scenario: A blind transfer to an agent who takes it
  The customer hears it ring meanwhile.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And Anna serves Support
  And Bert serves Sales
  When Carla calls +49301000
  And Anna answers
  And Anna transfers to the agent Bert
  Then Carla hears the ringing tone
  And Bert's telephone rings
  When Bert answers
  Then Carla and Bert hear each other
