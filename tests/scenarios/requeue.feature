Scenario: A customer goes back into the line and keeps the time already waited
  The second caller has waited for less; at the end of the line the customer would come after.

  Given a queue Support with the number +49301000
  When Carla calls +49301000
  And 60 seconds pass
  And Anna serves Support
  And Anna answers
  Then Carla and Anna hear each other
  When Emil calls +49301000
  And 30 seconds pass
  And Anna puts the customer back in line
  Then Anna's telephone rings
  When Anna answers
  Then Carla and Anna hear each other
  When Anna puts the customer at the end of the line
  And Anna answers
  Then Emil and Anna hear each other
  And Carla waits in Support
