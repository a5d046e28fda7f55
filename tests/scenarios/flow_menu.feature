Scenario: A menu leads to the right queue
  The caller chooses with a key, while the question is still being said or after it.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And a flow Hotline reached by the number +49303000
  And the flow Hotline asks "Press 1 for support or 2 for sales." with the key 1 for Support and the key 2 for Sales
  And Anna serves Sales
  When Carla calls +49303000
  Then Carla hears the text "Press 1 for support or 2 for sales."
  And Anna's telephone does not ring
  When Carla presses 2
  Then Carla waits in Sales
  And Anna's telephone rings
  When Anna answers
  Then Anna and Carla hear each other
