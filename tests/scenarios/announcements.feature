Scenario: Those who wait are told their place
  Every half minute the place in the line is told, and the music goes on.

  Given a queue Support with the number +49301000
  And Support tells the place every 30 seconds
  When Carla calls +49301000
  And Dora calls +49301000
  Then Dora hears music
  When 30 seconds pass
  Then Dora hears the text "You are number 2 in line."
  When Dora hears it to the end
  Then Dora hears music
