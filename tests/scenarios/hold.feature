Scenario: Hold lets the customer hear music, and taking back lets both hear each other
  The agent hears nothing meanwhile.

  Given a queue Support with the number +49301000
  And Anna serves Support
  When Carla calls +49301000
  And Anna answers
  And Anna holds
  Then Carla is on hold
  And Carla hears music
  And Anna hears nothing
  When Anna takes the customer back
  Then Carla and Anna hear each other
