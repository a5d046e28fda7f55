Scenario: A supervisor closes against the clock
  A queue goes by opening hours; a supervisor switches them to closed, and later leaves them to the clock again.

  Given a queue Support with the number +49301000
  And Support goes by the hours Shop, who are open around the clock
  And Anna serves Support
  When Sam switches the hours Shop to closed
  And Carla calls +49301000
  Then Carla has left
  When Sam leaves the hours Shop to the clock
  And Dora calls +49301000
  Then Anna's telephone rings
  When Anna answers
  Then Anna and Dora hear each other
