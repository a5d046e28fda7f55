Scenario: A supervisor takes a certain caller out of the line
  Nobody's turn counts, and being ready is not needed; only who does not serve the queue cannot.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And Anna serves Support
  And Bert serves Support
  And Dora serves Sales
  When Carla calls +49301000
  And Anna answers
  And Bert takes a break for paperwork
  And Emil calls +49301000
  And Frida calls +49301000
  Then Dora cannot pull Frida
  When Bert pulls Frida
  Then Bert's telephone rings
  When Bert answers
  Then Frida and Bert hear each other
  And Emil waits in Support
