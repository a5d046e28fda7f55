Scenario: A full queue refuses the next caller
  Who is refused hears so from the network and is not counted as waiting.

  Given a queue Support with the number +49301000
  And Support takes at most 1 waiting
  When Carla calls +49301000
  And Dora calls +49301000
  Then Carla waits in Support
  And Dora has left
