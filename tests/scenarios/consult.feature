Scenario: An agent asks a colleague before handing the customer over
  The customer hears music, then talks to the colleague.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And Anna serves Support
  And Bert serves Sales
  When Carla calls +49301000
  And Anna answers
  And Anna consults the agent Bert
  Then Carla hears music
  And Anna hears the ringing tone
  When Bert answers
  Then Anna and Bert hear each other
  And Carla is on hold
  When Anna turns to the other one
  Then Carla and Anna hear each other
  And Bert hears music
  When Anna hands over
  Then Carla and Bert hear each other
  And Anna is ready and idle
