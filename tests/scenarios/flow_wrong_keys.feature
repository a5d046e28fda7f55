Scenario: Whoever chooses nothing is asked again and then let go
  The question is put three times. Then the flow says goodbye.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And a flow Hotline reached by the number +49303000
  And the flow Hotline asks "1 or 2?" with the key 1 for Support and the key 2 for Sales
  When Carla calls +49303000
  And Carla presses 7
  Then Carla hears the text "1 or 2?"
  When Carla hears it to the end
  Then Carla hears nothing
  When 5 seconds pass
  Then Carla hears the text "1 or 2?"
  When Carla hears it to the end
  And 5 seconds pass
  Then Carla hears the text "Goodbye."
  When Carla hears it to the end
  Then Carla has left
